// The client of a portal for developers, made of ServiceNow's own description of its
// Table API, against the fake: what it is answered must be what it expects. It
// prints one line for each thing that it saw. The package hides the client behind
// its plugin, so it is reached by its path.
const path = require('path');

const made = path.join(process.env.NODE_PATH, '@backstage-community/plugin-scaffolder-backend-module-servicenow/dist/generated/now/table');
const { DefaultService: api } = require(path.join(made, 'services.cjs.js'));
const { OpenAPI } = require(path.join(made, 'core/OpenAPI.cjs.js'));

const say = (what, ...values) => console.log([what, ...values].join(' '));
const tableName = 'incident';

async function refused(what, call) {
  try {
    await call();
    say(what, 'was not refused');
  } catch (e) {
    say(what, e.status, e.body?.error?.message, e.body?.status);
  }
}

async function main() {
  [OpenAPI.BASE, OpenAPI.USERNAME, OpenAPI.PASSWORD] = [process.env.SERVICENOW_URL, process.env.SERVICENOW_USER, process.env.SERVICENOW_PASSWORD];
  const joe = process.env.SERVICENOW_JOE;
  const one = (await api.postApiNowTableByTableName({ tableName, requestBody: { short_description: 'Till', impact: '1', urgency: '2', assigned_to: joe } })).result;
  say('made', one.number, one.state, one.assigned_to.value === joe, one.assigned_to.link.endsWith('/table/sys_user/' + joe));
  const sysId = one.sys_id;
  const shown = (await api.getApiNowTableByTableNameBySysId({ tableName, sysId, sysparmDisplayValue: 'true' })).result;
  say('shown', shown.state, shown.impact, shown.assigned_to.display_value, shown.assigned_to.value);
  const both = (await api.getApiNowTableByTableNameBySysId({ tableName, sysId, sysparmDisplayValue: 'all', sysparmExcludeReferenceLink: true, sysparmFields: 'state,assigned_to' })).result;
  say('both', JSON.stringify(both.state), both.assigned_to.display_value, both.assigned_to.link, Object.keys(both).length);
  const child = (await api.postApiNowTableByTableName({ tableName, sysparmFields: 'number,parent', sysparmExcludeReferenceLink: true, requestBody: { short_description: 'Alert sooner', parent: sysId } })).result;
  say('child', child.number, child.parent === sysId);
  const rows = async (sysparmQuery, more) => (await api.getApiNowTableByTableName({ tableName, sysparmQuery, ...more })).result.map((r) => r.number).join(',');
  say('latest', await rows('ORDERBYDESCnumber', { sysparmLimit: 1 }));
  say('children', await rows('parent=' + sysId));
  say('begins', await rows('short_descriptionSTARTSWITHTi'));
  say('in', await rows('stateIN1,2^ORDERBYnumber', { sysparmFields: 'number' }));
  say('none', (await rows('number=INC0')) === '');
  const doing = (await api.patchApiNowTableByTableNameBySysId({ tableName, sysId, sysparmDisplayValue: 'true', requestBody: { state: '2' } })).result;
  say('patched', doing.state, doing.short_description);
  await refused('no code', () => api.patchApiNowTableByTableNameBySysId({ tableName, sysId, requestBody: { state: '6' } }));
  const put = (await api.putApiNowTableByTableNameBySysId({ tableName, sysId, requestBody: { state: '6', close_code: 'Solution provided', close_notes: 'rolled back' } })).result;
  say('put', put.state, put.close_notes, put.short_description, put.sys_mod_count);
  say('notes', (await api.patchApiNowTableByTableNameBySysId({ tableName, sysId, requestBody: { work_notes: 'looked at it' } })).result.number);
  say('journal', (await api.getApiNowTableByTableName({ tableName: 'sys_journal_field', sysparmQuery: 'element_id=' + sysId })).result.map((n) => n.element + ' ' + n.value).join(','));
  await refused('nobody to assign', () => api.patchApiNowTableByTableNameBySysId({ tableName, sysId, requestBody: { assigned_to: '0'.repeat(32) } }));
  await refused('no record', () => api.getApiNowTableByTableNameBySysId({ tableName, sysId: 'f'.repeat(32) }));
  await refused('no table', () => api.getApiNowTableByTableName({ tableName: 'nowhere' }));
  await api.deleteApiNowTableByTableNameBySysId({ tableName, sysId });
  await refused('deleted', () => api.getApiNowTableByTableNameBySysId({ tableName, sysId }));
  await refused('too fast', () => api.getApiNowTableByTableName({ tableName: 'sys_user' }));
  OpenAPI.PASSWORD = 'wrong';
  await refused('nobody', () => api.getApiNowTableByTableName({ tableName }));
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
