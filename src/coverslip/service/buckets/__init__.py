"""The organization's bucket as clients of S3 know it: its name, and the keys that open it."""
