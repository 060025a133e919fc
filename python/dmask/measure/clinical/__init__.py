"""Clinical measures, a file a group; importing one adds its measures to `dmask.measure.registry`."""
