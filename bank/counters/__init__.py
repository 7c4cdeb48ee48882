"""What is done at a counter or in the portal: cash, transfers."""
