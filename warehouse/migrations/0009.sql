-- A day whose volume is far from the usual is taken as it is where somebody accepts it.
ALTER TABLE clean.deliveries ADD COLUMN volume_accepted_by VARCHAR;
