"""What has been seen of the cluster, and how it is kept true."""
