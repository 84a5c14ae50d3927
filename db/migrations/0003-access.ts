import type { Migration } from '../migrate.ts'

/** The names of the groups that a workflow is linked to, as JSON in their order; null without any. */
const groupNames = (workflowId: string): string => `(SELECT nullif(json_group_array(name), '[]') FROM (
        SELECT access_group.name FROM workflow_access_group AS link JOIN access_group ON access_group.id = link.group_id
        WHERE link.workflow_id = ${workflowId} ORDER BY access_group.name))`

/** Who may use which workflow (contract/notes.md 6), and what administrators asked of the database itself. */
export const access: Migration = {
  version: 3,
  name: 'access',
  statements: [
    `CREATE TABLE access_group (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      description TEXT,
      -- The group of system administrators: only the server itself changes it.
      is_system INTEGER NOT NULL DEFAULT 0,
      created_at INTEGER NOT NULL
    ) STRICT`,

    `CREATE TABLE access_group_member (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      group_id INTEGER NOT NULL,
      user_name TEXT NOT NULL,
      role TEXT NOT NULL CHECK (role IN ('member', 'admin')),
      created_at INTEGER NOT NULL
    ) STRICT`,
    'CREATE UNIQUE INDEX access_group_member_key ON access_group_member(group_id, user_name)',
    'CREATE INDEX access_group_member_by_user ON access_group_member(user_name)',

    `CREATE TABLE workflow_access_group (
      workflow_id INTEGER NOT NULL,
      group_id INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (workflow_id, group_id)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX workflow_access_group_by_group ON workflow_access_group(group_id)',

    // Every reply that shows a workflow shows the names of its groups: kept in the row, so that none of them needs a statement more.
    'ALTER TABLE workflow ADD COLUMN access_groups TEXT',
    `CREATE TRIGGER workflow_access_group_linked AFTER INSERT ON workflow_access_group BEGIN
      UPDATE workflow SET access_groups = ${groupNames('NEW.workflow_id')} WHERE id = NEW.workflow_id;
    END`,
    `CREATE TRIGGER workflow_access_group_unlinked AFTER DELETE ON workflow_access_group BEGIN
      UPDATE workflow SET access_groups = ${groupNames('OLD.workflow_id')} WHERE id = OLD.workflow_id;
    END`,
    // Lists of what a user may see begin with what is theirs.
    'CREATE INDEX workflow_by_user ON workflow(user)',

    `CREATE TABLE admin_audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_name TEXT NOT NULL,
      timestamp INTEGER NOT NULL,
      sql_text TEXT NOT NULL,
      is_write INTEGER NOT NULL,
      allow_full_table INTEGER NOT NULL,
      rows_affected INTEGER,
      committed INTEGER NOT NULL,
      success INTEGER NOT NULL,
      error TEXT
    ) STRICT`,
  ],
}
