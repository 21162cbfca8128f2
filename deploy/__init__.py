"""What puts the exchange on machines: Kafka, and the demo."""
