"""What runs beside the counters: imports, exports, analytics."""
