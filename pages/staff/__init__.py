"""Pages of one room; see pages/parts/menu.py for whom each is."""
