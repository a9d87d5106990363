"""What a scan of data says of units and layers."""
