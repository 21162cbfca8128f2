"""The doors to the network: Kafka, HTTP as a client, HTTP as a server."""
