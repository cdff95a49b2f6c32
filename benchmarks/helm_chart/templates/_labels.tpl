{{- define "endpoint.selector" -}}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: inference-server
{{- end }}
{{- define "endpoint.labels" -}}
{{ include "endpoint.selector" . }}
app.kubernetes.io/name: {{ .Values.framework | quote }}
app.kubernetes.io/version: {{ .Values.image.tag | trimPrefix "v" | quote }}
app.kubernetes.io/part-of: {{ .Values.model | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- define "endpoint.metadata" -}}
name: {{ .Release.Name | quote }}
namespace: {{ .Release.Name | quote }}
labels:
  {{- include "endpoint.labels" . | nindent 2 }}
annotations:
  servestack.dev/stack: {{ .Release.Name | quote }}
{{- end }}
{{- define "endpoint.clustered" -}}
name: {{ .Release.Name | quote }}
labels:
  {{- include "endpoint.labels" . | nindent 2 }}
annotations:
  servestack.dev/stack: {{ .Release.Name | quote }}
{{- end }}
