"""What a branch admin sees and does."""
