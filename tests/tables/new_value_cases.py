from tables.case import Case

NEW_CASES: list[Case] = []
