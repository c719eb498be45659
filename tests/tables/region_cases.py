from tables.case import RegionCase

REGION_CASES: list[RegionCase] = []
