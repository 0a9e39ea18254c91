-- One row per team that is not deleted. What the wire calls a number is one; flags are 0 or 1. The creator's name stands in
-- `dua_users`.
CREATE TABLE teams (
    id          text     COLLATE "C" PRIMARY KEY,
    creator_id  text     COLLATE "C" NOT NULL,
    cstamp      text     COLLATE "C" NOT NULL, -- when it came to be, YYYY-MM-DD HH:MM:SS, UTC+8
    ct          bigint   NOT NULL,             -- the same, in Unix seconds
    ut          bigint   NOT NULL,             -- its last change, in Unix seconds
    position    bigint   NOT NULL,             -- of the event that made it
    rolec       bigint   NOT NULL CHECK (rolec >= 0), -- roles
    usroc       bigint   NOT NULL CHECK (usroc >= 0), -- user-role assignments
    enabled     smallint NOT NULL,
    private     smallint NOT NULL,
    invite_only smallint NOT NULL,
    code        text     COLLATE "C" NOT NULL,
    name        text     COLLATE "C" NOT NULL,
    brief       text     COLLATE "C" NOT NULL,
    avatar      text     COLLATE "C" NOT NULL
);
-- Nothing that changes is indexed: updates stay in place.
ALTER TABLE teams SET (fillfactor = 80);
-- Somebody's teams, newest first: the order nobody has to ask for.
CREATE INDEX teams_creator ON teams (creator_id, cstamp DESC, id);

CREATE TABLE team_roles (
    team_id  text    COLLATE "C" NOT NULL,
    role_id  bigint  NOT NULL,
    name     text    COLLATE "C" NOT NULL,
    position bigint  NOT NULL, -- of the event that made it
    CONSTRAINT team_roles_key PRIMARY KEY (team_id, role_id)
);

CREATE TABLE team_members (
    team_id  text   COLLATE "C" NOT NULL,
    role_id  bigint NOT NULL,
    user_id  text   COLLATE "C" NOT NULL,
    position bigint NOT NULL, -- of the event that made it
    CONSTRAINT team_members_key PRIMARY KEY (team_id, role_id, user_id)
);
CREATE INDEX team_members_user ON team_members (user_id);
