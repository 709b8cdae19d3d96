-- How often the device's clock was set, and the last time, as JSON.
ALTER TABLE device ADD COLUMN clock text;
