// The modules that publish the custom resources of a production endpoint. Only their CRD files are read.
module servestack.dev/tools/crds

go 1.26

require (
	github.com/GoogleCloudPlatform/gke-gateway-api v1.3.0
	github.com/GoogleCloudPlatform/gke-networking-api v0.2.11
	github.com/GoogleCloudPlatform/prometheus-engine v0.17.2
	github.com/argoproj/argo-cd/v3 v3.4.11
	github.com/fluxcd/kustomize-controller v1.9.6
	github.com/fluxcd/source-controller v1.9.6
	github.com/kedacore/keda/v2 v2.21.0
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.6.3
	sigs.k8s.io/gateway-api-inference-extension v1.6.0
	sigs.k8s.io/lws v0.9.0
)
