"""Everything that shows the bank works: house rules, verbs, pages, journeys, browser, speed."""
