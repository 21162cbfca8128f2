"""Side by side on this machine: sealed publish and verified consume against plain aiokafka and confluent-kafka."""
