package sqlite

// Rows that belong to something and are numbered within it have both in their
// row id: the log's or shard's number and the offset, the incident's and the
// event's, the room's and the posting's. So each is one ascending run in a
// plain table, without an index. (A table WITHOUT ROWID would put every row of
// more than a kilobyte on a page of its own.)
const (
	shardShift = 48 // logs and facts: 2^48 entries a shard
	eventShift = 24 // events and postings: 16 million an incident or a room
)

func rowID(shard int, n int64) int64 { return int64(shard)<<shardShift | n }

func numberOf(row int64) int64 { return row & (1<<shardShift - 1) }

func eventRow(id, seq int64) int64 { return id<<eventShift | seq }

func seqOf(row int64) int64 { return row & (1<<eventShift - 1) }

const schema = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE intake (row INTEGER PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE marks (shard INTEGER, log INTEGER, mark INTEGER NOT NULL, PRIMARY KEY (shard, log)) WITHOUT ROWID;
CREATE TABLE incidents (
	id INTEGER PRIMARY KEY, shard INTEGER NOT NULL, version INTEGER NOT NULL, open INTEGER NOT NULL,
	service TEXT NOT NULL, since INTEGER NOT NULL, weight INTEGER NOT NULL, summary BLOB NOT NULL
);
CREATE INDEX incidents_open ON incidents (open) WHERE open = 1;
CREATE INDEX incidents_service ON incidents (service) WHERE service <> '';
CREATE INDEX incidents_open_service ON incidents (service) WHERE open = 1 AND service <> '';
CREATE TABLE snapshots (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE events (row INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE groups (row INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE once (row INTEGER PRIMARY KEY, shard INTEGER NOT NULL, key BLOB NOT NULL, at INTEGER NOT NULL);
CREATE TABLE facts (row INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE effects (
	row INTEGER PRIMARY KEY, head BLOB NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, incident INTEGER NOT NULL, arg TEXT NOT NULL
);
CREATE TABLE dead (key TEXT PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE probe (row INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE rooms (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, seq INTEGER NOT NULL, rev INTEGER NOT NULL);
CREATE TABLE postings (
	row INTEGER PRIMARY KEY, room INTEGER NOT NULL, key TEXT NOT NULL, rev INTEGER NOT NULL, at INTEGER NOT NULL,
	edited INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE UNIQUE INDEX postings_key ON postings (room, key);
CREATE UNIQUE INDEX postings_rev ON postings (room, rev);
`

// later are the tables that came after the first release. They are made in every
// store that lacks them; a release that does not know them leaves them alone.
const later = `
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ring_kinds (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last INTEGER NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rings (no INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL, UNIQUE (kind, name));
CREATE TABLE IF NOT EXISTS ring_items (row INTEGER PRIMARY KEY, ring INTEGER NOT NULL, at INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS ring_items_ring ON ring_items (ring);
`

// query names a statement.
type query int

const (
	tables query = iota
	beginTx
	commitTx
	rollbackTx
	checkpointWAL
	getMeta
	pageCount
	freePages
	fillProbe
	emptyProbe
	readEntries
	sizeEntries
	lastEntry
	oldEntries
	deleteEntries
	setMark
	allMarks
	getHead
	insertIncident
	updateIncident
	updateOpen
	maxIncident
	countOpen
	setSnapshot
	getSnapshot
	insertEvent
	readEvents
	listAll
	listOpen
	listService
	listOpenService
	insertGroup
	updateGroup
	deleteGroup
	allGroups
	insertOnce
	allOnce
	oldOnce
	deleteOnce
	insertFact
	readFacts
	lastFact
	insertEffect
	updateEffect
	deleteEffect
	getEffect
	allEffects
	insertDead
	deleteDead
	getDead
	listDead
	countDead
	getRoom
	insertRoom
	updateRoom
	getPosting
	insertPosting
	updatePosting
	postingsByRev
	postingsBySeq
	auditHead
	insertAudit
	readAudit
	getOwed
	insertOwed
	deleteOwed
	allOwed
	hasAudit
	getSetting
	setSetting
	getRingKind
	insertRingKind
	updateRingKind
	getRing
	insertRing
	growRing
	dropRing
	insertRingItem
	deleteRingItem
	oldestOfRing
	oldestOfKind
	pullRingItems
	queryCount
)

var statements = [queryCount]string{
	tables:        `SELECT count(*) FROM sqlite_schema`,
	beginTx:       `BEGIN IMMEDIATE`,
	commitTx:      `COMMIT`,
	rollbackTx:    `ROLLBACK`,
	checkpointWAL: `PRAGMA wal_checkpoint(PASSIVE)`,
	getMeta:       `SELECT value FROM meta WHERE name = ?`,
	pageCount:     `PRAGMA page_count`,
	freePages:     `PRAGMA freelist_count`,
	fillProbe:     `INSERT INTO probe (row, body) VALUES (1, zeroblob(262144)) ON CONFLICT (row) DO UPDATE SET body = excluded.body`,
	emptyProbe:    `DELETE FROM probe`,

	readEntries:   `SELECT row, body FROM intake WHERE row > ? AND row <= ? ORDER BY row`,
	sizeEntries:   `SELECT row, length(body) FROM intake WHERE row > ? AND row <= ? ORDER BY row`,
	lastEntry:     `SELECT row FROM intake WHERE row > ? AND row <= ? ORDER BY row DESC LIMIT 1`,
	oldEntries:    `SELECT count(*), max(row) FROM (SELECT row, at FROM intake WHERE row > ? AND row <= ? ORDER BY row LIMIT 1000) WHERE at < ?`,
	deleteEntries: `DELETE FROM intake WHERE row > ? AND row <= ?`,
	setMark:       `INSERT INTO marks (shard, log, mark) VALUES (?, ?, ?) ON CONFLICT (shard, log) DO UPDATE SET mark = excluded.mark`,
	allMarks:      `SELECT shard, log, mark FROM marks`,

	getHead:         `SELECT version, since, weight, open, shard FROM incidents WHERE id = ?`,
	insertIncident:  `INSERT INTO incidents (id, shard, version, open, service, since, weight, summary) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
	updateIncident:  `UPDATE incidents SET version = ?, since = ?, weight = ?, summary = ? WHERE id = ?`,
	updateOpen:      `UPDATE incidents SET open = ? WHERE id = ?`,
	maxIncident:     `SELECT max(id) FROM incidents`,
	countOpen:       `SELECT count(*) FROM incidents WHERE open = 1`,
	setSnapshot:     `INSERT INTO snapshots (id, version, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body`,
	getSnapshot:     `SELECT version, body FROM snapshots WHERE id = ?`,
	insertEvent:     `INSERT INTO events (row, body) VALUES (?, ?)`,
	readEvents:      `SELECT body FROM events WHERE row > ? AND row < ? ORDER BY row LIMIT ?`,
	listAll:         `SELECT summary FROM incidents WHERE id < ? ORDER BY id DESC LIMIT ?`,
	listOpen:        `SELECT summary FROM incidents WHERE open = 1 AND id < ? ORDER BY id DESC LIMIT ?`,
	listService:     `SELECT summary FROM incidents WHERE service = ? AND service <> '' AND id < ? ORDER BY id DESC LIMIT ?`,
	listOpenService: `SELECT summary FROM incidents INDEXED BY incidents_open_service WHERE service = ? AND service <> '' AND open = 1 AND id < ? ORDER BY id DESC LIMIT ?`,

	insertGroup: `INSERT INTO groups (row, body) VALUES (?, ?)`,
	updateGroup: `UPDATE groups SET body = ? WHERE row = ?`,
	deleteGroup: `DELETE FROM groups WHERE row = ?`,
	allGroups:   `SELECT row, body FROM groups ORDER BY row`,
	insertOnce:  `INSERT INTO once (row, shard, key, at) VALUES (?, ?, ?, ?)`,
	allOnce:     `SELECT row, shard, key, at FROM once ORDER BY row`,
	oldOnce:     `SELECT row, shard, key FROM once WHERE at < ? ORDER BY row LIMIT 1000`,
	deleteOnce:  `DELETE FROM once WHERE row = ?`,
	insertFact:  `INSERT INTO facts (row, body) VALUES (?, ?)`,
	readFacts:   `SELECT row, body FROM facts WHERE row > ? AND row <= ? ORDER BY row LIMIT ?`,
	lastFact:    `SELECT row FROM facts WHERE row > ? AND row <= ? ORDER BY row DESC LIMIT 1`,

	insertEffect: `INSERT INTO effects (row, head, key, kind, incident, arg) VALUES (?, ?, ?, ?, ?, ?)`,
	updateEffect: `UPDATE effects SET head = ? WHERE row = ?`,
	deleteEffect: `DELETE FROM effects WHERE row = ?`,
	getEffect:    `SELECT head, key, kind, incident, arg FROM effects WHERE row = ?`,
	allEffects:   `SELECT row, head FROM effects ORDER BY row`,
	insertDead:   `INSERT INTO dead (key, at, body) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET at = excluded.at, body = excluded.body`,
	deleteDead:   `DELETE FROM dead WHERE key = ?`,
	getDead:      `SELECT body FROM dead WHERE key = ?`,
	listDead:     `SELECT body FROM dead ORDER BY at DESC, key LIMIT ?`,
	countDead:    `SELECT count(*) FROM dead`,

	getRoom:       `SELECT no, seq, rev FROM rooms WHERE name = ?`,
	insertRoom:    `INSERT INTO rooms (no, name, seq, rev) VALUES (NULL, ?, 0, 0)`,
	updateRoom:    `UPDATE rooms SET seq = ?, rev = ? WHERE no = ?`,
	getPosting:    `SELECT key, row, rev, at, edited, body FROM postings WHERE room = ? AND key = ?`,
	insertPosting: `INSERT INTO postings (row, room, key, rev, at, edited, body) VALUES (?, ?, ?, ?, ?, 0, ?)`,
	updatePosting: `UPDATE postings SET rev = ?, edited = ?, body = ? WHERE row = ?`,
	postingsByRev: `SELECT key, row, rev, at, edited, body FROM postings INDEXED BY postings_rev WHERE room = ? AND rev > ? ORDER BY rev LIMIT ?`,
	postingsBySeq: `SELECT key, row, rev, at, edited, body FROM postings WHERE row > ? AND row < ? ORDER BY row DESC LIMIT ?`,

	auditHead:   `SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1`,
	insertAudit: `INSERT INTO audit (seq, mac, body) VALUES (?, ?, ?)`,
	readAudit:   `SELECT seq, mac, body FROM audit WHERE seq > ? ORDER BY seq LIMIT ?`,
	getOwed:     `SELECT owner FROM audit_owed WHERE seq = ?`,
	insertOwed:  `INSERT INTO audit_owed (seq, owner) VALUES (?, ?)`,
	deleteOwed:  `DELETE FROM audit_owed WHERE seq = ?`,
	allOwed:     `SELECT seq, owner FROM audit_owed ORDER BY seq`,
	hasAudit:    `SELECT count(*) FROM sqlite_schema WHERE name = 'audit'`,

	getSetting: `SELECT version, body FROM settings WHERE name = ?`,
	setSetting: `INSERT INTO settings (name, version, body) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version, body = excluded.body`,

	getRingKind:    `SELECT no, last, bytes FROM ring_kinds WHERE name = ?`,
	insertRingKind: `INSERT INTO ring_kinds (no, name, last, bytes) VALUES (NULL, ?, 0, 0)`,
	updateRingKind: `UPDATE ring_kinds SET last = ?, bytes = ? WHERE no = ?`,
	getRing:        `SELECT no, bytes FROM rings WHERE kind = ? AND name = ?`,
	insertRing:     `INSERT INTO rings (no, kind, name, bytes) VALUES (NULL, ?, ?, 0)`,
	growRing:       `UPDATE rings SET bytes = bytes + ? WHERE no = ?`,
	dropRing:       `DELETE FROM rings WHERE no = ? AND bytes <= 0`,
	insertRingItem: `INSERT INTO ring_items (row, ring, at, size, body) VALUES (?, ?, ?, ?, ?)`,
	deleteRingItem: `DELETE FROM ring_items WHERE row = ?`,
	oldestOfRing:   `SELECT row, ring, size, at FROM ring_items WHERE ring = ? ORDER BY row LIMIT 64`,
	oldestOfKind:   `SELECT row, ring, size, at FROM ring_items WHERE row > ? AND row < ? ORDER BY row LIMIT 64`,
	pullRingItems:  `SELECT i.row, r.name, i.body FROM ring_items i CROSS JOIN rings r ON r.no = i.ring WHERE i.row > ? AND i.row < ? ORDER BY i.row`,
}
