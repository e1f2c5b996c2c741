-- migrate:up
-- Which parts lie on a dealer's shelf: with that said, windows that are offered wait for what has to be ordered. And the
-- two checks that 0056 widened hold for all rows by now.

ALTER TABLE dealers ADD COLUMN parts_shelf text NOT NULL DEFAULT '';
ALTER TABLE resources VALIDATE CONSTRAINT resources_kind_check;
ALTER TABLE slots VALIDATE CONSTRAINT slots_use_check;

-- migrate:down
