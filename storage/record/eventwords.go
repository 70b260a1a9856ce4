package record

// eventWords are what events and snapshots are made of, what is most
// common last. They belong to the form of the events: what was written with other
// words cannot be read with these, so better ones are a new form.
const eventWords = "\x06tenant\x04team\x06region\x04zone\x09container\x0adeployment\x04host\x04node\x0benvironment\x0adatacenter\x0dgrafana_folder" +
	"\x0edashboard_url\x0brunbook_url\x08https://\x09alertname\x07cluster\x03env\x0aproduction\x08instance\x03job\x09namespace\x03pod\x07service\x08severity\x07warning\x08severity\x08critical" +
	"\x02\x0bdescription\x07summary\x03\x0bdescription\x0brunbook_url\x07summary" +
	`"ticket_synced","tracker":"jira","ticket":{"kind":"escalated","kind":"reopened","kind":"closed","kind":"noted","text":"` +
	`"kind":"approved","approval_id":"1","run_id":"INC-1/1","seal":"` +
	`"kind":"requested","approval":{"id":"1","plan":{"runbook":"","runbook_digest":"","title":{"en":"","ja":""},"risk":"low","incident":1,"check":[{"id":"health",` +
	`"kind":"run_finished","run_id":"INC-1/1","before":[{"step":"health","title":{"en":"","ja":""},"ok":false,"value":"HTTP 503","code":503,"output":"` +
	`"kind":"run_started","run_id":"INC-1/1","owner":"` +
	`"kind":"looked","run_id":"INC-1/1","steps":[{"step":"health","title":{"en":"","ja":""},"ok":true,"value":"HTTP 200, status = ok","code":200,"output":"{\"status\":\"ok\",` +
	`"kind":"verified","because":{"phrase":"because.stable","args":{"for":"` +
	`"kind":"resolved","because":{"phrase":"because.verified","args":{"by":"","run":"INC-"because":{"phrase":"because.rule","args":{"labels":"service=","rule":"` +
	`"kind":"voted","action":"restart-","value":-1,"objection":"` +
	`{"id":1,"shard":0,"version":,"title":"","description":"","service":"","source":"","group":"","because":{"phrase":"","args":{}},"rule":{},"common":[{"name":"","value":""}],"samples":"","alerts":"",` +
	`"opened_at":"","created_at":"","updated_at":"","released":true,"alert_severity":"SEV2","acks":[{"at":"","by":{"id":""}}],"commander":{"at":"","rooms":{"console":{"id":"","diagnosed_at":"","ranked_at":"",` +
	`"kind":"diagnosed","value":1,"findings":[{"check":"","title":{"en":"","ja":""},"ok":false,"error":"","value":"HTTP 503","code":503,"number":0.,"detail":"","elapsed":1000000000,"at":"2026-1` +
	`"suggestions":[{"rank":1,"action":"","title":{"en":"","ja":""},"score":0.,"evidence":{"tried":0,"worked":0,"up":0,"down":0,"last_at":"","median":,"terms":[{"because":{"phrase":"why.here.tried","args":{}},"weight":0.}]}}],"same":true` +
	`"clues":[{"kind":"service","source":"catalogue","title":"","says":{"phrase":"clue.service.owner","args":{"owner":"` +
	`,"written":"2026-1","by":{"id":"console:","name":""},"target":{"id":"console:","name":""}}{"seq":3,"kind":"acknowledged","at":"{"seq":4,"kind":"lead","at":"` +
	`{"seq":3,"kind":"diagnosed","at":"2026-1-2T","written":"2026-1-2T","by":{"id":"bot","name":"hikeshi"},"clues":[{"kind":"past","source":"history","title":"","says":{"phrase":"clue.past.never","args":{"known":"0"}},"item":"past/history"}]}` +
	`{"seq":4,"kind":"ranked","at":"2026-1-2T","written":"2026-1-2T","by":{"id":"bot","name":"hikeshi"},"because":{"phrase":"why.none","args":{"name":"","service":""}}}` +
	`{"seq":2,"kind":"alerts","at":"2026-1-2T","written":"2026-1-2T","by":{"id":"source:alertmanager","name":"alertmanager"},"alerts":{"cleared":1,"tracks":"` +
	`{"seq":1,"kind":"opened","at":"2026-1-2T","written":"2026-1-2T","by":{"id":"source:alertmanager","name":"alertmanager"},"because":{"phrase":"because.service_and_name","args":{"name":"","service":""}},` +
	`"alerts":{"firing":1,"new":"","severity":"SEV1","tracks":""},"opening":{"id":7,"shard":1,"title":" · ","description":"","service":"","source":"alertmanager_api","group":"","rule":{"reopen":1800000000000,"quiet":300000000000}}}` +
	`{"seq":2,"kind":"room_opened","at":"2026-1-2T","written":"2026-1-2T","by":{"id":"bot","name":"hikeshi"},"chat":"console","room":{"id":"inc-0","name":"inc-0","url":"http://127.0.0.1:8080/incidents/INC-","opened_at":"2026-1-2T",` +
	`{"seq":5,"kind":"room_synced","at":"2026-1-2T","written":"2026-1-2T","by":{"id":"bot","name":"hikeshi"},"chat":"console","room":{"id":"inc-0","name":"inc-0","url":"https://incidents/INC-","opened_at":"2026-1-2T",` +
	`"posted":{"approval-1":{"id":"6","hash":""},"ev-10":{"id":"4","hash":""},"card":{"id":"1","hash":""},"diagnostics":{"id":"2","hash":""},"suggestions":{"id":"3","hash":""}},"last_seq":4}}`
