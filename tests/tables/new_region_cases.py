from tables.case import RegionCase

NEW_REGION_CASES: list[RegionCase] = []
