"""Judge what is wrong with a running activeflow, against its flow's own past."""
