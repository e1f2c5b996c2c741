"""A message on its way: decode, judge, save in one transaction, acknowledge."""
