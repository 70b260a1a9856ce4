// Package remote is what adapters of trackers with a REST interface have in
// common: how a thing is asked for (Client), how one incident gets exactly one
// ticket and each follow-up one task (Once), how what people change there is
// heard (Watch), and how words from outside get into a ticket without acting
// there (Markup).
//
// It promises that an answer is bounded in size and time, that a token is sent
// to no other host and stands in no error; that what may have been created is
// looked for before it is created again, until the tracker's search must know,
// and that two that came about all the same become one; that a webhook is only a
// hint, whose content is asked for again, so that a forged or late one changes
// nothing that is not so; and that a ticket gets a file once.
//
// An adapter is a folder beside this one's with an API that it makes an Adapter
// of: see integrations/gitlab. Start with Once.Open and Watch.Poll.
package remote
