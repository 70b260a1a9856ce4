// Slack's own clients against the fake: what they are answered must be what they
// expect of Slack. It prints one line for each thing that it saw.
const { WebClient, LogLevel } = require('@slack/web-api');
const { SocketModeClient } = require('@slack/socket-mode');

const slackApiUrl = process.env.SLACK_API;
const say = (what, value) => console.log(what + ' ' + value);

async function refused(what, call) {
  try {
    await call();
    say(what, 'was not refused');
  } catch (e) {
    say(what, e.data ? e.data.error : e.message);
  }
}

async function main() {
  const web = new WebClient(process.env.SLACK_TOKEN, { slackApiUrl, logLevel: LogLevel.ERROR });
  const me = await web.auth.test();
  say('me', me.user_id + ' ' + me.team_id);
  const { channel } = await web.conversations.create({ name: 'inc-0001-other' });
  say('room', channel.name + ' ' + channel.creator);
  await refused('again', () => web.conversations.create({ name: 'inc-0001-other' }));
  await web.conversations.invite({ channel: channel.id, users: 'U1' });
  await refused('invited', () => web.conversations.invite({ channel: channel.id, users: 'U1' }));
  const posted = await web.chat.postMessage({
    channel: channel.id, text: 'card', metadata: { event_type: 'hikeshi_message', event_payload: { key: 'card' } },
    blocks: [{ type: 'header', text: { type: 'plain_text', text: 'card' } }],
  });
  const edited = await web.chat.update({ channel: channel.id, ts: posted.ts, text: 'card 2', blocks: [{ type: 'header', text: { type: 'plain_text', text: 'card 2' } }] });
  say('edited', edited.ts === posted.ts);
  await web.pins.add({ channel: channel.id, timestamp: posted.ts });
  await refused('pinned', () => web.pins.add({ channel: channel.id, timestamp: posted.ts }));
  const history = await web.conversations.history({ channel: channel.id, include_all_metadata: true });
  say('history', history.messages.map((m) => m.text + ' ' + m.metadata.event_payload.key).join(','));
  const user = await web.users.info({ user: 'U1', include_locale: true });
  say('user', user.user.profile.display_name + ' ' + user.user.locale);
  let n = 0;
  for await (const page of web.paginate('users.conversations', { limit: 1 })) n += page.channels.length;
  say('rooms', n);
  await refused('nobody', () => new WebClient('xoxb-wrong', { slackApiUrl, logLevel: LogLevel.ERROR }).auth.test());

  const began = Date.now();
  await web.conversations.setTopic({ channel: channel.id, topic: 'slowed down' }); // 429 first
  say('waited', Date.now() - began >= 1000);

  const socket = new SocketModeClient({ appToken: process.env.SLACK_APP_TOKEN, clientOptions: { slackApiUrl }, logLevel: LogLevel.ERROR });
  const heard = new Promise((done) => {
    socket.on('app_mention', async ({ event, ack }) => { await ack(); say('mention', event.user + ' ' + event.text); done(); });
  });
  const pressed = new Promise((done) => {
    socket.on('interactive', async ({ body, ack }) => { await ack(); say('press', body.type + ' ' + body.actions[0].action_id); done(); });
  });
  const typed = new Promise((done) => {
    socket.on('slash_commands', async ({ body, ack }) => { await ack({ text: 'done' }); say('command', body.command + ' ' + body.text); done(); });
  });
  await socket.start();
  await Promise.all([heard, pressed, typed]);
  await socket.disconnect();
}

main().then(() => process.exit(0), (e) => { console.error(e); process.exit(1); });
