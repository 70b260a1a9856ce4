// The usual client for Node against the fake: what it is answered must be what
// it expects of Jira. It prints one line for each thing that it saw. Both
// flavours have version 2, with texts that are markup; version 3 is Cloud's alone.
const { Version2Client } = require('jira.js');

const host = process.env.JIRA_URL;
const cloud = process.env.JIRA_FLAVOUR === 'cloud';
const say = (what, ...values) => console.log([what, ...values].join(' '));
const client = (token) =>
  new Version2Client({
    host,
    authentication: cloud ? { basic: { email: process.env.JIRA_MAIL, apiToken: token } } : { oauth2: { accessToken: token } },
  });

async function refused(what, call) {
  try {
    await call();
    say(what, 'was not refused');
  } catch (e) {
    const said = e.response?.data ?? {};
    say(what, e.response?.status, [e.cause?.response?.headers['retry-after'], ...(said.errorMessages ?? []), ...Object.entries(said.errors ?? {}).map((x) => x.join(': '))].filter(Boolean).join('; '));
  }
}

async function main() {
  const api = client(process.env.JIRA_TOKEN);
  const me = await api.myself.getCurrentUser();
  say('me', me.displayName, me.accountId ?? me.name, me.active);
  say('server', (await api.serverInfo.getServerInfo()).deploymentType);
  const there = await api.projects.getProject('OPS');
  say('project', there.key, (await api.projects.getProject(there.id)).name);
  const rights = await api.permissions.getMyPermissions({ projectKey: 'OPS', permissions: 'CREATE_ISSUES,ADMINISTER' });
  say('rights', Object.values(rights.permissions).map((p) => p.key + ' ' + p.havePermission).sort().join(','));
  const statuses = await api.projects.getAllStatuses('OPS');
  say('statuses', statuses[0].statuses.map((s) => s.name + ' ' + s.statusCategory.key).join(','));

  const first = await api.issues.getCreateIssueMetaIssueTypes({ projectIdOrKey: 'OPS', maxResults: 2 });
  const second = await api.issues.getCreateIssueMetaIssueTypes({ projectIdOrKey: 'OPS', startAt: 2 });
  const types = [first, second].flatMap((p) => p.issueTypes ?? p.values);
  say('types', first.total, types.map((t) => t.id + ' ' + t.name).join(','));
  const [, incident, sub] = types;
  const meta = await api.issues.getCreateIssueMetaIssueTypeId({ projectIdOrKey: 'OPS', issueTypeId: incident.id });
  const fields = meta.fields ?? meta.values;
  say('wanted', fields.filter((f) => f.required).map((f) => f.fieldId).sort().join(','));
  const high = fields.find((f) => f.fieldId === 'priority').allowedValues[1];

  const one = await api.issues.createIssue({
    fields: {
      project: { id: there.id }, issuetype: { id: incident.id }, priority: { id: high.id }, summary: 'Till', description: 'hangs',
      labels: ['hikeshi', 'till'], components: [{ name: 'Web' }], customfield_10050: 'ops',
    },
    properties: [{ key: 'hikeshi', value: { incident: 7 } }],
  });
  say('made', one.key);
  const task = await api.issues.createIssue({ fields: { project: { key: 'OPS' }, issuetype: { id: sub.id }, parent: { key: one.key }, summary: 'Look', customfield_10050: 'ops' } });
  const other = await api.issues.createIssue({ fields: { project: { key: 'OPS' }, issuetype: { name: 'Incident' }, summary: 'Stock', labels: ['hikeshi'], customfield_10050: 'ops' } });
  const got = await api.issues.getIssue({ issueIdOrKey: one.id, properties: ['hikeshi'] });
  const f = got.fields;
  say('got', got.key, f.project.key, f.issuetype.name, f.priority.name, f.status.name, f.status.statusCategory.key, f.labels.join('+'), f.components[0].name, f.customfield_10050, f.assignee?.displayName ?? 'nobody');
  say('property', JSON.stringify(got.properties));
  say('below', f.subtasks.map((i) => i.key + ' ' + i.fields.summary).join(','));
  const below = await api.issues.getIssue({ issueIdOrKey: task.key, fields: ['parent', 'summary'] });
  say('above', below.fields.parent.key, Object.keys(below.fields).sort().join(','));

  const jql = 'labels = "hikeshi"';
  const found = [];
  if (cloud) {
    for (let nextPageToken, last = false; !last; ) {
      const page = await api.issueSearch.searchForIssuesUsingJqlEnhancedSearchPost({ jql, fields: ['summary'], maxResults: 1, nextPageToken });
      found.push(...page.issues);
      nextPageToken = page.nextPageToken;
      last = page.isLast;
    }
    const bare = await api.issueSearch.searchForIssuesUsingJqlEnhancedSearchPost({ jql });
    say('found bare', bare.issues.map((i) => Object.keys(i).join('+')).join(','));
    await refused('the old search', () => api.issueSearch.searchForIssuesUsingJqlPost({ jql }));
  } else {
    for (let total = 1; found.length < total; ) {
      const page = await api.issueSearch.searchForIssuesUsingJqlPost({ jql, fields: ['summary'], maxResults: 1, startAt: found.length });
      found.push(...page.issues);
      total = page.total;
    }
    await refused('the new search', () => api.issueSearch.searchForIssuesUsingJqlEnhancedSearchPost({ jql }));
  }
  say('found', found.map((i) => i.key + ' ' + Object.values(i.fields).join('+')).join(','));

  await api.issues.editIssue({ issueIdOrKey: one.key, fields: { summary: 'Till 3' }, update: { labels: [{ add: 'late' }, { remove: 'till' }] } });
  const bea = cloud ? { accountId: '557058:bea' } : { name: 'bea' };
  await api.issues.assignIssue({ issueIdOrKey: one.key, ...bea });
  const edited = await api.issues.getIssue({ issueIdOrKey: one.key, fields: ['summary', 'labels', 'assignee'] });
  say('edited', edited.fields.summary, edited.fields.labels.join('+'), edited.fields.assignee.displayName);
  await api.issues.assignIssue({ issueIdOrKey: one.key, ...(cloud ? { accountId: null } : { name: null }) });

  const bare = await api.issues.getTransitions(one.key);
  say('ways', bare.transitions.map((t) => t.name + '→' + t.to.name + ' ' + (t.fields !== undefined)).join(','));
  const { transitions } = await api.issues.getTransitions({ issueIdOrKey: one.key, expand: 'transitions.fields' });
  const done = transitions.find((t) => t.to.statusCategory.key === 'done');
  const wants = Object.values(done.fields).filter((x) => x.required);
  say('wants', wants.map((x) => x.name + ' ' + x.allowedValues.map((v) => v.name).join('/')).join(','));
  await refused('no resolution', () => api.issues.doTransition({ issueIdOrKey: one.key, transition: { id: done.id } }));
  await api.issues.doTransition({ issueIdOrKey: one.key, transition: { id: done.id }, fields: { resolution: { id: wants[0].allowedValues[1].id } } });
  await refused('no way', () => api.issues.doTransition({ issueIdOrKey: one.key, transition: { id: '99' } }));
  const closed = await api.issues.getIssue({ issueIdOrKey: one.key, expand: 'changelog' });
  say('closed', closed.fields.status.name, closed.fields.resolution.name, closed.fields.assignee?.displayName ?? 'nobody');
  say('changes', closed.changelog.histories.flatMap((h) => h.items.map((i) => h.author.displayName + ' ' + i.field + ' ' + (i.toString || 'nobody'))).join(','));

  const comment = await api.issueComments.addComment({ issueIdOrKey: one.key, comment: 'looked at it', properties: [{ key: 'hikeshi', value: 1 }] });
  say('comment', comment.body, comment.author.displayName, Date.parse(comment.created) > 0);
  await api.issueComments.addComment({ issueIdOrKey: one.key, comment: 'again' });
  const later = await api.issueComments.getComments({ issueIdOrKey: one.key, startAt: 1, maxResults: 1, orderBy: 'created' });
  say('comments', later.total, later.startAt, later.comments.map((c) => c.body).join(','));
  const latest = await api.issueComments.getComments({ issueIdOrKey: one.key, orderBy: '-created', expand: 'properties' });
  say('latest', latest.comments.map((c) => [c.body, JSON.stringify(c.properties)].filter(Boolean).join(' ')).join(','));

  const link = { issueIdOrKey: one.key, globalId: 'hikeshi=1', object: { url: 'https://hikeshi.example.com/1', title: 'room' } };
  const linked = await api.issueRemoteLinks.createOrUpdateRemoteIssueLink(link);
  const again = await api.issueRemoteLinks.createOrUpdateRemoteIssueLink({ ...link, object: { ...link.object, title: 'the room' } });
  say('linked once', linked.id === again.id);
  const links = await api.issueRemoteLinks.getRemoteIssueLinks(one.key);
  say('links', links.map((l) => l.globalId + ' ' + l.object.title + ' ' + (l.id === linked.id)).join(','));
  await api.issueLinks.linkIssues({ type: { name: 'Duplicate' }, inwardIssue: { key: one.key }, outwardIssue: { key: other.key } });
  const files = await api.issueAttachments.addAttachment({ issueIdOrKey: one.key, attachment: { filename: '報告.md', file: Buffer.from('# Till') } });
  say('attached', files.map((a) => a.filename + ' ' + a.size + ' ' + a.author.displayName).join(','));
  const kept = await api.issues.getIssue({ issueIdOrKey: one.key, fields: ['attachment'] });
  say('kept', kept.fields.attachment.map((a) => a.filename + ' ' + (a.id === files[0].id)).join(','));

  await refused('no issue', () => api.issues.getIssue('OPS-99'));
  await refused('no project', () => api.projects.getProject('NONE'));
  await refused('no summary', () => api.issues.createIssue({ fields: { project: { key: 'OPS' }, issuetype: { name: 'Incident' } } }));
  await refused('no priority', () => api.issues.editIssue({ issueIdOrKey: one.key, fields: { priority: { name: 'Blazing' } } }));
  await refused('no such user', () => api.issues.assignIssue({ issueIdOrKey: one.key, ...(cloud ? { accountId: 'none' } : { name: 'none' }) }));
  await refused('empty comment', () => api.issueComments.addComment({ issueIdOrKey: one.key, comment: '' }));
  await refused('too fast', () => api.issues.getIssue('OPS-98'));
  await refused('nobody', () => client('wrong').myself.getCurrentUser());
}

main().catch((e) => {
  console.error(e.stack, JSON.stringify(e.response?.data));
  process.exit(1);
});
