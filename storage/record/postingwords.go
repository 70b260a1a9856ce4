package record

// postingWords are what the messages of a room are made of, what is most common
// last, in the words of the time at which they were chosen. They belong to the form
// of the postings: what was written with other words cannot be read with these, so
// they stay as they are when the phrases change; better ones are a new form.
const postingWords = `"label":"コンソールで開く","text":"3 件中 1 件の確認で異常が見つかりました。1 件は応答がありません。","evidence":"同様のインシデントで 9 回中 7 回有効 · 👍6 👎1 · 前回 12日前 · 所` +
	`要 48秒(中央値)","hint":"この対処は適切だと思う","hint":"この対処は適切ではないと思う","hint":"この順位の理由を表示します","evidence":"同様のインシデントでの実績なし","text":"承認さ` +
	`れました。まもなく実行します。","label":"承認して実行","hint":"表示された計画だけを承認します。すぐに一度だけ実行されます","name":"完了できなかった処理","hint":"適切な対処だった","hint":"適` +
	`切な対処ではなかった","text":"手順が失敗しました","evidence":"同様のインシデントで 9 回中 7 回有効 · 👍5 👎1 · 前回 12日前 · 所要 48秒(中央値)","text":"改善しませんでした: 10分` +
	`経っても確認が失敗しています。","text":"10分経っても確認が失敗しています","text":"このインシデントに合う確認項目はありません。","title":"誰も対応を始めていないため、再度通知しました","title":"アラ` +
	`ート 2 件が解消しました","text":"状況を確認しています…","text":"有効な対処を探しています…","hint":"まだ収束していないことを記録します","label":"ポストモーテム","hint":"記録からポストモ` +
	`ーテムを作ります","text":"改善を確認しました: すべての確認が成功し、アラートも解消した状態が5秒続きました。","text":"14:03 UTC から実行しています…","label":"Open in the console` +
	`","text":"1 of 3 checks fails. 1 gave no answer.","state":"unknown","evidence":"worked 7 of 9 here · 👍6 👎1 · last 12 day` +
	`s ago · median 48 s","risk":"low risk","hint":"This is the right action here","hint":"This is not the right action here"` +
	`,"hint":"Show why it stands in this place","evidence":"not tried here yet","key":"approval-1","kind":"approval","name":"` +
	`Proved when","text":"Approved; about to run.","label":"Approve & run","hint":"Approve exactly this plan; it runs at once` +
	`, and only once","key":"approval-2","name":"Given up","hint":"This was the right action","hint":"This was not the right ` +
	`action","text":"a step failed","evidence":"worked 7 of 9 here · 👍5 👎1 · last 12 days ago · median 48 s","text":"It did n` +
	`ot help: the checks still fail after 10 min.","text":"the checks still fail after 10 min","text":"No check fits this inc` +
	`ident.","title":"Nobody had acknowledged, so people were reminded","title":"2 alerts cleared","text":"Checking what is w` +
	`rong…","text":"Looking for what could help…","label":"Reopen","hint":"Say that it is not over after all","label":"Postmo` +
	`rtem","hint":"Write the postmortem from the log","text":"It helped: all checks pass, no alert fires, and it stayed so fo` +
	`r 5 s.","title":"Resolved after 3 min 6 s (acknowledged after 23 s)","text":"Running since 14:03 UTC…","label":"It was c` +
	`arried out","label":"It failed","label":"It has stopped"` +
	`{"in":{"en":{"key":"approval-1","kind":"approval","tone":"info","at":"2026-1T","by":"","title":"","code":[{"label":"","t` +
	`ext":""}],"items":[{"rank":1,"moved":"2 → 1","fell":true,"title":"","evidence":"","risk":"","code":[{"label":"","text":"` +
	`"}],"up":0,"down":0,"buttons":[{"id":"h1.up.","label":"👍","style":"up","hint":""},{"id":"h1.down.","label":"👎","style":"` +
	`down","hint":""}]}],"checks":[{"state":"ok","name":"","value":"","before":"","detail":"","elapsed":"3 ms"},{"state":"bad` +
	`","name":""},{"state":"unknown","name":""}]}},{"said":{"by":{"id":"console:","name":""},"text":""}}` +
	`{"in":{"en":{"key":"suggestions","kind":"suggestions","tone":"warn","at":"2026-1T","title":"Next actions","text":"No kno` +
	`wn action fits  of . Write down what helps as a runbook, and next time it is suggested."},"ja":{"key":"suggestions","kin` +
	`d":"suggestions","tone":"warn","at":"2026-1T","title":"次の対処","text":" の  に合う既知の対処はありません。解決後にランブックを書いておけば、次回から提案されます。"}}}` +
	`{"in":{"en":{"key":"diagnostics","kind":"diagnostics","tone":"info","at":"2026-1T","title":"First investigation","text":` +
	`"No check is configured for this. The sources told one thing.","checks":[{"group":"Has it happened before?","state":"not` +
	`e","name":"","value":"Never before, as far as is known (0 past incidents).","buttons":[{"id":"h1.sr.usy.","label":"👍","s` +
	`tyle":"up","hint":"Has it happened before? (history) was useful"},{"id":"h1.sr.usn.","label":"👎","style":"down","hint":"` +
	`Has it happened before? (history) was not useful"}]}],"buttons":[{"id":"h1.sr.use..","label":"Was this useful?","hint":"` +
	`Lists what was found, with a thumb up and down for each"}]},"ja":{"key":"diagnostics","kind":"diagnostics","tone":"info"` +
	`,"at":"2026-1T","title":"初動調査","text":"該当するチェックは設定されていません。情報源から1件の手がかりがありました。","checks":[{"group":"過去にもあったか","state":"no` +
	`te","name":"","value":"知る限り初めてです（過去のインシデント0件）。","buttons":[{"id":"h1.sr.usy.","label":"👍","style":"up","hint":"過去にもあったか ` +
	`(history)は役に立った"},{"id":"h1.sr.usn.","label":"👎","style":"down","hint":"過去にもあったか (history)は役に立たなかった"}]}],"buttons":[{"id` +
	`":"h1.sr.use..","label":"役に立ちましたか？","hint":"調べた項目の一覧を開き、それぞれを評価できます"}]}}}` +
	`{"in":{"en":{"key":"card","kind":"card","pinned":true,"tone":"bad","at":"2026-1T","title":"INC-1035  · ","text":"","fiel` +
	`ds":[{"name":"Status","value":"Triggered"},{"name":"Severity","value":"SEV1"},{"name":"Service","value":""},{"name":"Sin` +
	`ce","value":":"},{"name":"Alerts","value":"1 firing · 0 cleared"},{"name":"Acknowledged","value":"nobody yet"},{"name":"` +
	`One incident because","value":"same service () and alert name ()"},{"name":"Next","value":"no known action fits; a perso` +
	`n has to look"}],"buttons":[{"id":"h1.sr.ack..","label":"Acknowledge","style":"primary","hint":"Say that you are looking` +
	` at it"},{"id":"h1.sr.lead..","label":"Take command","hint":"Become the commander of this incident"},{"id":"h1.sr.res.."` +
	`,"label":"Resolve","hint":"Say that it is over"}],"links":[{"label":"Runbook ()","url":"https://"},{"label":"Where the a` +
	`lert comes from ()","url":"https://"}]},"ja":{"key":"card","kind":"card","pinned":true,"tone":"bad","at":"2026-1T","titl` +
	`e":"INC-1035  · ","text":"","fields":[{"name":"状態","value":"発生中"},{"name":"重大度","value":"SEV1"},{"name":"サービス","value":"` +
	`"},{"name":"発生時刻","value":":"},{"name":"アラート","value":"発生中 1 件 · 解消 0 件"},{"name":"対応開始","value":"まだ誰も対応を始めていません"},{"nam` +
	`e":"まとめた理由","value":"サービス()とアラート名()が同じです"},{"name":"次の動き","value":"合致する既知の対処がありません。人による調査が必要です"}],"buttons":[{"id":"h1.s` +
	`r.ack..","label":"対応を始める","style":"primary","hint":"確認して対応中であることを共有します"},{"id":"h1.sr.lead..","label":"指揮を執る","hint":"この` +
	`インシデントの指揮者になります"},{"id":"h1.sr.res..","label":"解決","hint":"収束したことを記録します"}],"links":[{"label":"ランブック()","url":"https://"}` +
	`,{"label":"アラートの発生元()","url":"https://"}]}}}` +
	`{"in":{"en":{"key":"ev-2","kind":"line","at":"2026-1T` +
	`","title":""},"ja":{"key":"ev-2","kind":"line","at":"2026-1T`
