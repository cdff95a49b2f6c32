"""What a deployed stack does, and how it is put right. Changes Pulumi state at most, never the cloud."""
