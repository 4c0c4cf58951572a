"""Keys of groups, partitions and joins: from columns of values to small whole numbers."""
