"""What takes the injector to its targets."""
