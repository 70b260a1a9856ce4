// Nulab's own client for Node against the fake: what it is answered must be what
// it expects of Backlog. It prints one line for each thing that it saw.
const { Backlog } = require('backlog-js');

const project = process.env.BACKLOG_PROJECT;
const say = (what, ...values) => console.log([what, ...values].join(' '));

// The client knows https only.
const plain = (url, init) => fetch(url.replace('https://', 'http://'), init);

async function refused(what, call) {
  try {
    await call();
    say(what, 'was not refused');
  } catch (e) {
    say(what, e.name, e.status, (e.body?.errors ?? []).map((x) => x.code + ' ' + x.message).join(','));
  }
}

async function main() {
  const host = process.env.BACKLOG_HOST;
  const api = new Backlog({ host, apiKey: process.env.BACKLOG_KEY, fetch: plain });
  const me = await api.getMyself();
  say('me', me.id, me.name, me.roleType);
  const there = await api.getProject(project);
  say('project', there.id, there.projectKey, there.textFormattingRule, there.useWiki);
  const types = await api.getIssueTypes(project);
  say('types', types.map((t) => t.id + ' ' + t.name).join(','));
  const statuses = await api.getProjectStatuses(project);
  say('statuses', statuses.map((s) => s.id + ' ' + s.name + ' ' + s.projectId).join(','));
  await refused('too fast', () => api.getPriorities());
  say('priorities', (await api.getPriorities()).map((p) => p.id + ' ' + p.name).join(','));
  say('people', (await api.getProjectUsers(project)).map((u) => u.name).join(','));

  const one = await api.postIssue({ projectId: there.id, issueTypeId: 6, priorityId: 2, summary: 'Till', description: 'hangs', assigneeId: 8, categoryId: [3, 4] });
  say('made', one.issueKey, one.keyId, one.status.name, one.priority.name, one.assignee.name, one.resolution, one.customFields.length);
  await api.postIssue({ projectId: there.id, issueTypeId: 6, priorityId: 4, summary: 'Stock' });
  const found = await api.getIssues({ projectId: [there.id], keyword: 'hangs', createdUserId: [me.id], sort: 'created', order: 'asc', count: 100 });
  say('found', found.map((i) => i.issueKey).join(','));
  say('open', (await api.getIssues({ projectId: [there.id], statusId: [1], order: 'asc' })).map((i) => i.issueKey).join(','));
  say('other projects', (await api.getIssues({ projectId: [99] })).length);

  const done = await api.patchIssue(one.issueKey, { statusId: 4, resolutionId: 0, assigneeId: 9, comment: 'done' });
  say('closed', done.status.name, done.assignee.name, done.resolution.name);
  say('by its number', (await api.getIssue(one.id)).issueKey);
  const comment = await api.postIssueComments(one.issueKey, { content: 'looked at it' });
  say('comment', comment.content, comment.issueId === one.id, comment.changeLog.length);
  const latest = await api.getIssueComments(one.issueKey, { count: 1, order: 'desc' });
  say('latest', latest.map((c) => c.content).join(','));
  const after = await api.getIssueComments(one.issueKey, { minId: comment.id - 1, order: 'asc' });
  say('later', after.map((c) => c.content).join(','));
  const changes = (await api.getIssueComments(one.issueKey, { order: 'asc' })).flatMap((c) => c.changeLog);
  say('changes', changes.map((c) => c.field + ' ' + c.originalValue + '→' + c.newValue).join(','));

  const form = new FormData();
  form.append('file', new Blob(['# Postmortem'], { type: 'text/markdown' }), 'postmortem.md');
  const sent = await api.postSpaceAttachment(form);
  say('sent', sent.name, sent.size);
  const kept = await api.patchIssue(one.issueKey, { attachmentId: [sent.id] });
  say('kept', kept.attachments.map((a) => a.name + ' ' + a.size).join(','));
  say('files', (await api.getIssueAttachments(one.issueKey)).map((a) => a.name + ' of ' + a.createdUser.name).join(','));
  await refused('twice', () => api.patchIssue(one.issueKey, { attachmentId: [sent.id] }));
  const child = await api.postIssue({ projectId: there.id, issueTypeId: 6, priorityId: 3, summary: 'Alert sooner', parentIssueId: one.id });
  say('child', child.issueKey, child.parentIssueId === one.id, one.parentIssueId);
  await refused('grandchild', () => api.postIssue({ projectId: there.id, issueTypeId: 6, priorityId: 3, summary: 'x', parentIssueId: child.id }));

  const wikis = await api.getWikis({ projectIdOrKey: project });
  say('wikis', wikis.map((w) => w.name + ' ' + w.content).join(','));
  const page = await api.getWiki(wikis[0].id);
  say('wiki', page.name, page.content, page.updatedUser.name);
  say('searched', (await api.getWikis({ projectIdOrKey: project, keyword: 'ディスク' })).map((w) => w.name).join(','));

  await refused('no wiki', () => api.getWiki(999));
  await refused('no issue', () => api.getIssue('OPS-99'));
  await refused('no project', () => api.getProject('NONE'));
  await refused('no summary', () => api.postIssue({ projectId: there.id, issueTypeId: 6, priorityId: 2, summary: '' }));
  await refused('no status', () => api.patchIssue(one.issueKey, { statusId: 77 }));
  await refused('empty comment', () => api.postIssueComments(one.issueKey, { content: ' ' }));
  await refused('nobody', () => new Backlog({ host, apiKey: 'wrong', fetch: plain }).getMyself());
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
