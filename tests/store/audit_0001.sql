CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version (version_num) VALUES ('0001');
CREATE TABLE audit (
    id INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    who VARCHAR(255) NOT NULL,
    change VARCHAR(32) NOT NULL,
    subject VARCHAR(100) NOT NULL,
    before VARCHAR(200),
    after VARCHAR(200) NOT NULL,
    why TEXT NOT NULL,
    done BOOLEAN,
    PRIMARY KEY (id)
);
CREATE INDEX ix_audit_subject ON audit (subject);
INSERT INTO audit (id, at, who, change, subject, before, after, why, done)
VALUES (1, '2026-11-21 12:00:00.000000', 'ada', 'import', 'bank', NULL, 'bank@1', '', true);
INSERT INTO audit (id, at, who, change, subject, before, after, why, done)
VALUES (2, '2026-11-21 12:01:00.000000', 'ada', 'promote', 'bank', NULL, 'bank@1 champion', 'first', true);
INSERT INTO audit (id, at, who, change, subject, before, after, why, done)
VALUES (3, '2026-11-21 12:02:00.000000', 'ada', 'promote', 'bank', 'bank@1 champion', 'bank@2 champion', 'killed', NULL);
