"""The only files that import Pulumi: a built stack becomes resources."""
