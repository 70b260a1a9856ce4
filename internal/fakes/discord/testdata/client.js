// discord.js against the fake: what it is answered must be what it expects of
// Discord. It prints one line for each thing that it saw.
const { Client, GatewayIntentBits, ChannelType, Events, MessageFlags } = require('discord.js');

const say = (what, value) => console.log(what + ' ' + value);
const allowedMentions = { parse: [] };

const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.GuildMessageReactions, GatewayIntentBits.MessageContent],
  rest: { api: process.env.DISCORD_API, version: '10', retries: 0 },
  allowedMentions,
});

const ready = new Promise((done) => client.once(Events.ClientReady, done));
const once = (event, good) => new Promise((done) => {
  client.on(event, (x, ...more) => { if (good(x)) done([x, ...more]); });
});

async function main() {
  const spoken = once(Events.MessageCreate, (m) => m.author.id !== client.user.id);
  const reacted = once(Events.MessageReactionAdd, () => true);
  const pressed = once(Events.InteractionCreate, (i) => i.isButton());
  const typed = once(Events.InteractionCreate, (i) => i.isChatInputCommand());
  await client.login(process.env.DISCORD_TOKEN);
  await ready;
  say('me', client.user.username);
  const guild = await client.guilds.fetch(process.env.DISCORD_GUILD);
  say('guild', guild.name);
  const channel = await guild.channels.create({ name: 'inc-0001-other', type: ChannelType.GuildText, topic: 'a room' });
  say('room', channel.name + ' ' + channel.topic);
  const sent = await channel.send({
    embeds: [{ title: 'card' }], nonce: '42', enforceNonce: true, allowedMentions,
    components: [{ type: 1, components: [{ type: 2, style: 1, label: 'Acknowledge', custom_id: 'h1.1.ack..' }] }],
  });
  const again = await channel.send({ embeds: [{ title: 'card' }], nonce: '42', enforceNonce: true, allowedMentions });
  say('once', sent.id === again.id);
  const edited = await sent.edit({ embeds: [{ title: 'card 2' }], allowedMentions });
  say('edited', edited.embeds[0].title + ' ' + edited.components[0].components[0].customId);
  await sent.pin();
  say('pinned', (await channel.messages.fetchPins()).items.map((p) => p.message.embeds[0].title).join(','));
  const newest = await channel.messages.fetch({ limit: 10 });
  say('history', newest.map((m) => m.embeds[0].title).join(','));
  try {
    await guild.channels.fetch('1');
  } catch (e) {
    say('nobody', e.status + ' ' + e.code);
  }
  console.log('READY ' + channel.id + ' ' + sent.id);

  const [m] = await spoken;
  say('said', m.author.username + ' ' + m.content);
  const [r, by] = await reacted;
  say('reacted', by.id + ' ' + r.emoji.name);
  const [b] = await pressed;
  await b.reply({ content: 'done', flags: MessageFlags.Ephemeral, allowedMentions });
  say('press', b.user.username + ' ' + b.customId);
  const [c] = await typed;
  await c.deferReply({ flags: MessageFlags.Ephemeral });
  await c.editReply({ content: 'done later', allowedMentions });
  say('command', c.commandName + ' ' + c.options.getSubcommand());
  await client.destroy();
}

main().then(() => process.exit(0), (e) => { console.error(e); process.exit(1); });
