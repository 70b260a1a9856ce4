// The usual client for Node against the fake: what it is answered must be what
// it expects of GitLab. It prints one line for each thing that it saw.
const { Gitlab } = require('@gitbeaker/rest');

const host = process.env.GITLAB_URL;
const project = process.env.GITLAB_PROJECT;
const say = (what, ...values) => console.log([what, ...values].join(' '));

async function refused(what, call) {
  try {
    await call();
    say(what, 'was not refused');
  } catch (e) {
    say(what, e.cause?.response?.status, e.cause?.description ?? e.message);
  }
}

async function main() {
  const api = new Gitlab({ host, token: process.env.GITLAB_TOKEN });
  const me = await api.Users.showCurrentUser();
  say('me', me.id, me.username, me.state);
  const there = await api.Projects.show(project);
  say('project', there.id, there.path_with_namespace, there.issues_enabled);
  const members = await api.ProjectMembers.all(project, { includeInherited: true, perPage: 1 });
  say('members', members.map((m) => m.username).join(','));

  const one = await api.Issues.create(project, 'Till', { description: 'hangs', labels: 'hikeshi,severity::1', assigneeIds: [8] });
  say('made', one.iid, one.state, one.labels.join(','), one.assignees.map((a) => a.username).join(','), one.author.username, one.references.full);
  await api.Issues.create(project, 'Stock', { labels: 'hikeshi' });
  await api.Issues.create(project, 'Other');
  const page = await api.Issues.all({ projectId: project, labels: 'hikeshi', perPage: 1, orderBy: 'created_at', sort: 'asc', showExpanded: true, maxPages: 1 });
  say('page', page.data.map((i) => i.title).join(','), JSON.stringify(page.paginationInfo));
  const all = await api.Issues.all({ projectId: project, labels: 'hikeshi', perPage: 1, orderBy: 'created_at', sort: 'asc' });
  say('pages', all.map((i) => i.title).join(','));
  const open = await api.Issues.all({ projectId: project, search: 'hangs', in: 'description', state: 'opened' });
  say('found', open.map((i) => i.iid).join(','));

  const done = await api.Issues.edit(project, one.iid, { stateEvent: 'close', addLabels: 'done', removeLabels: 'severity::1' });
  say('closed', done.state, done.labels.join(','), done.closed_at !== null);
  const closed = await api.Issues.all({ projectId: project, state: 'closed' });
  say('closed ones', closed.map((i) => i.iid).join(','));
  const back = await api.Issues.edit(project, one.iid, { stateEvent: 'reopen' });
  say('reopened', back.state, back.closed_at);
  const note = await api.IssueNotes.create(project, one.iid, 'looked at it');
  say('note', note.body, note.system, note.noteable_type);
  const notes = await api.IssueNotes.all(project, one.iid, { perPage: 1, sort: 'asc' });
  say('notes', notes.map((n) => n.body).join(','));
  const states = await api.IssueStateEvents.all(project, one.iid, { perPage: 1 });
  say('states', states.map((e) => e.state).join(','));
  const labels = await api.IssueLabelEvents.all(project, one.iid);
  say('labels', labels.map((e) => e.action + ' ' + e.label.name).join(','));

  const sent = await api.ProjectMarkdownUploads.create(project, { content: new Blob(['# Postmortem']), filename: 'postmortem.md' });
  say('sent', sent.alt, /^\/uploads\/[0-9a-f]{32}\/postmortem\.md$/.test(sent.url), sent.markdown.includes(sent.url));
  const link = await api.IssueLinks.create(project, 2, there.id, one.iid);
  say('linked', link.source_issue.iid, link.target_issue.iid, link.link_type);
  say('links', (await api.IssueLinks.all(project, one.iid)).map((i) => i.iid).join(','));
  await refused('linked twice', () => api.IssueLinks.create(project, 2, there.id, one.iid));
  await refused('linked to none', () => api.IssueLinks.create(project, 2, there.id, 99));

  say('file', await api.RepositoryFiles.showRaw(project, 'docs/disk full.md'));
  say('on a branch', await api.RepositoryFiles.showRaw(project, 'docs/disk full.md', 'next'));
  await refused('no file', () => api.RepositoryFiles.showRaw(project, 'docs/none.md'));
  await refused('no branch', () => api.RepositoryFiles.showRaw(project, 'docs/disk full.md', 'gone'));
  await refused('no issue', () => api.Issues.show(99, { projectId: project }));
  await refused('no project', () => api.Projects.show('ops/none'));
  await refused('no title', () => api.Issues.create(project, ''));
  await refused('nothing', () => api.Issues.edit(project, one.iid, {}));
  await refused('nobody', () => new Gitlab({ host, token: 'wrong' }).Users.showCurrentUser());
  say('after a 429', (await api.ProjectLabels.all(project)).length);
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
