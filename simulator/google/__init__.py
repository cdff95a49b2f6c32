"""A simulated Google Cloud: GKE clusters on real control planes, and a stand-in for Pulumi's `gcp` provider."""
