-- migrate:up
-- What belongs to no dealer's car (sign-ins of unknown cars, retention that was refused) is seen at every desk: nobody else would look.

CREATE POLICY house_wide ON tallies FOR SELECT TO telltale_desk USING (dealer_id = 0);

-- migrate:down
