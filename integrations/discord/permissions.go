package discord

// The permissions that the bot needs, and nothing else.
// https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags
const (
	permManageChannels int64 = 1 << 4
	permAddReactions   int64 = 1 << 6
	permView           int64 = 1 << 10
	permSend           int64 = 1 << 11
	permEmbed          int64 = 1 << 14
	permAttach         int64 = 1 << 15
	permHistory        int64 = 1 << 16
	permManageRoles    int64 = 1 << 28 // to write the permissions of private rooms
	permPin            int64 = 1 << 51 // since February 2026; Manage Messages is no longer enough
)

// permission is one with the name that Discord's settings show.
type permission struct {
	bit     int64
	name    string
	private bool // needed for private rooms only
}

var wantedPermissions = []permission{
	{permView, "View Channels", false}, {permManageChannels, "Manage Channels", false}, {permSend, "Send Messages", false},
	{permEmbed, "Embed Links", false}, {permAttach, "Attach Files", false}, {permHistory, "Read Message History", false},
	{permAddReactions, "Add Reactions", false}, {permPin, "Pin Messages", false}, {permManageRoles, "Manage Roles", true},
}

// wanted is their sum.
func wanted(private bool) int64 {
	var sum int64
	for _, p := range wantedPermissions {
		if !p.private || private {
			sum |= p.bit
		}
	}
	return sum
}
