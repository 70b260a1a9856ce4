package record

// factWords are what nearly every fact says, what is most common last: compressing a
// fact alone, there is nothing before it to refer to. They belong to the form of the
// facts: facts that were written with other words cannot be read with these.
const factWords = `"propensity":0.0"objection":"wrong_cause""unsafe_now""too_slow""not_the_root""by":"console:"person":"discord:"source":"import","ref":"` +
	`{"name":"datacenter","value":"dc{"name":"zone","value":"{"name":"region","value":"ap-northeast-1"},{"name":"team","value":"{"name":"tenant","value":"` +
	`{"name":"alertname","value":"{"name":"cluster","value":"{"name":"container","value":"{"name":"deployment","value":"{"name":"env","value":"prod"},` +
	`{"name":"environment","value":"production"},{"name":"host","value":"{"name":"instance","value":"10.0.0.:9100"},{"name":"job","value":"` +
	`{"name":"namespace","value":"default"},{"name":"node","value":"{"name":"pod","value":"{"name":"service","value":"{"name":"severity","value":"critical"},` +
	`"alertname":"","cluster":"","container":"","env":"prod","host":"","instance":"","job":"node","namespace":"","pod":"","region":"","service":"","severity":"warning","team":"` +
	`"kind":"undo""kind":"reset""kind":"chosen","incident":,"rank":1,"person":"slack:T0"value":0,"chance":0.5` +
	`"context":{"service":"","name":""},"shown":[{"action":"restart-","chance":0.4,"propensity":1},{"action":"` +
	`","failing":["/health"]},"source":"prometheus","severity":"critical","labels":{"` +
	`{"seq":0,"kind":"vote","incident":1,"at":"2027-0T0:0:0.000000000Z","action":"restart-","person":"person:","value":1,"context":{"service":"","name":"","source":"alertmanager",` +
	`{"seq":0,"kind":"outcome","incident":1,"at":"2026-1T1:1:1.000000000Z","action":"","value":1,"took":60000000000,"context":{"service":"","name":"`
