-- Duty staff are texted as well, one row a person; a text can wait for a
-- person's decision, and a person can see to one that failed otherwise.
ALTER TABLE staff ADD COLUMN duty_phone text;
ALTER TABLE staff ADD COLUMN duty_language text;
CREATE INDEX staff_on_duty ON staff (branch) WHERE duty_phone IS NOT NULL;
-- Which member of staff it goes to; absent for customers.
ALTER TABLE sms ADD COLUMN staff uuid;
-- What duty staff are told of: the clock and when it ends, as JSON.
ALTER TABLE sms ADD COLUMN deadline text;
-- True for what quiet hours do not hold back.
ALTER TABLE sms ADD COLUMN is_urgent boolean NOT NULL DEFAULT false;
-- True when it was the way that failed last, not this text.
ALTER TABLE sms ADD COLUMN of_way boolean NOT NULL DEFAULT false;
-- Who saw to it otherwise, when and why, as JSON.
ALTER TABLE sms ADD COLUMN dismissal text;
ALTER TABLE sms DROP CONSTRAINT sms_complaint_device_incarnation_lane_n_template_key;
CREATE UNIQUE INDEX sms_key ON sms (complaint, device, incarnation, lane, n, template,
    coalesce(staff, '00000000-0000-0000-0000-000000000000'::uuid));
DROP INDEX sms_due;
CREATE INDEX sms_due ON sms (is_urgent DESC, is_answer DESC, next_at, id)
    WHERE state IN ('waiting', 'sending');
CREATE INDEX sms_held ON sms (made_at) WHERE state = 'held';
