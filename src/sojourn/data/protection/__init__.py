"""What private cases show: cells whose every count is a multiple of the smallest group (`core.privacy`)."""
