BEGIN TRANSACTION;
CREATE TABLE alerts (
	activeflow_id VARCHAR(36) NOT NULL, 
	reason VARCHAR(16) NOT NULL, 
	channel VARCHAR(32) NOT NULL, 
	rule VARCHAR(40) NOT NULL, 
	since VARCHAR(32) NOT NULL, 
	told_at VARCHAR(32), 
	PRIMARY KEY (activeflow_id, reason, channel)
);
CREATE TABLE application_versions (
    version_id TEXT NOT NULL PRIMARY KEY,
    version_name TEXT NOT NULL UNIQUE,
    version_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL);
INSERT INTO "application_versions" VALUES('1c913ccb-84dd-4d64-abc9-f13ad89e8459','2',1795813371000,1795813371000,'flows-bot');
CREATE TABLE audit (
	seq INTEGER NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	what VARCHAR(16) NOT NULL, 
	who VARCHAR(32) NOT NULL, 
	activeflow_id VARCHAR(36), 
	body TEXT NOT NULL, 
	previous VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE ("key")
);
INSERT INTO "audit" VALUES(1,'policy:ca96022aff4b0d40fe5973de2bf9d1c2','2026-11-27T21:02:51.540580+00:00','policy','policy file',NULL,'{"activeflow_id":null,"at":"2026-11-27 21:02:51.540580+00:00","channel":"","detail":{"grants":1,"sha256":"6565b248a423a0afa230ea74ae8061a9777f2173c00f503a987f3dd812650a8b"},"intent_id":"","key":"policy:ca96022aff4b0d40fe5973de2bf9d1c2","reason":"","what":"policy","who":"policy file"}','0000000000000000000000000000000000000000000000000000000000000000','6d8e59b982da3a272d57c2f8b4f0d321a7b7761893523949a492f77d8ea732f1');
INSERT INTO "audit" VALUES(2,'d6b2cdc6b521fae700ad899b57b679d0/asked','2026-11-27T21:02:51.934686+00:00','asked','U0ALICE','c6e00009-01cb-497c-90d6-2db922b7c423','{"activeflow_id":"c6e00009-01cb-497c-90d6-2db922b7c423","at":"2026-11-27 21:02:51.934686+00:00","channel":"C0INCIDENTS","detail":{"because":"allowed by grant 1","now":false,"seen":"digits"},"intent_id":"d6b2cdc6b521fae700ad899b57b679d0","key":"d6b2cdc6b521fae700ad899b57b679d0/asked","reason":"it loops","what":"asked","who":"U0ALICE"}','6d8e59b982da3a272d57c2f8b4f0d321a7b7761893523949a492f77d8ea732f1','7617148d13f0fe6aead17c5a308f07c61d3366e31e8d29352d8e068195794754');
INSERT INTO "audit" VALUES(3,'stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208/pressed','2026-11-27T21:02:52.124684+00:00','pressed','U0CAROL','c6e00009-01cb-497c-90d6-2db922b7c423','{"activeflow_id":"c6e00009-01cb-497c-90d6-2db922b7c423","at":"2026-11-27 21:02:52.124684+00:00","channel":"C0INCIDENTS","detail":{"asked_by":"U0ALICE","because":"allowed by grant 1","grant":1,"now":false,"policy":"6565b248a423","seen":"digits"},"intent_id":"d6b2cdc6b521fae700ad899b57b679d0","key":"stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208/pressed","reason":"it loops","what":"pressed","who":"U0CAROL"}','7617148d13f0fe6aead17c5a308f07c61d3366e31e8d29352d8e068195794754','4a288e8063d2954ffbefbcb115a2f38f206032d9bc3ebb6eef60d97265816914');
INSERT INTO "audit" VALUES(4,'stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208/sending/1','2026-11-27T21:02:52.219175+00:00','sending','U0CAROL','c6e00009-01cb-497c-90d6-2db922b7c423','{"activeflow_id":"c6e00009-01cb-497c-90d6-2db922b7c423","at":"2026-11-27 21:02:52.219175+00:00","channel":"C0INCIDENTS","detail":{"attempt":1,"because":"allowed by grant 1","grant":1,"policy":"6565b248a423"},"intent_id":"d6b2cdc6b521fae700ad899b57b679d0","key":"stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208/sending/1","reason":"it loops","what":"sending","who":"U0CAROL"}','4a288e8063d2954ffbefbcb115a2f38f206032d9bc3ebb6eef60d97265816914','96b9bf1bdded2990895ffd83199ee3bfff88ca67018218a707dbd5000570d32a');
INSERT INTO "audit" VALUES(5,'stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208/outcome','2026-11-27T21:02:52.459908+00:00','outcome','U0CAROL','c6e00009-01cb-497c-90d6-2db922b7c423','{"activeflow_id":"c6e00009-01cb-497c-90d6-2db922b7c423","at":"2026-11-27 21:02:52.459908+00:00","channel":"C0INCIDENTS","detail":{"attribution":"this press","outcome":"Ended","request_id":null,"why":null},"intent_id":"d6b2cdc6b521fae700ad899b57b679d0","key":"stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208/outcome","reason":"it loops","what":"outcome","who":"U0CAROL"}','96b9bf1bdded2990895ffd83199ee3bfff88ca67018218a707dbd5000570d32a','ab0a46bc4f40b902a5cd914c334e58066c86fcc67f8062c146ac1fad37cc012c');
INSERT INTO "audit" VALUES(6,'dc68ada23e095d4f9681edd28e4d4bd7/asked','2026-11-27T21:02:52.764897+00:00','asked','U0ALICE',NULL,'{"activeflow_id":null,"at":"2026-11-27 21:02:52.764897+00:00","channel":"C0INCIDENTS","detail":{"because":"allowed by grant 1","bulk":"dc68ada23e095d4f9681edd28e4d4bd7","count":3,"filters":"flow:Sales"},"intent_id":"dc68ada23e095d4f9681edd28e4d4bd7","key":"dc68ada23e095d4f9681edd28e4d4bd7/asked","reason":"they loop","what":"asked","who":"U0ALICE"}','ab0a46bc4f40b902a5cd914c334e58066c86fcc67f8062c146ac1fad37cc012c','713324c65e71edb6bb3cf0d961bb3d57e72f5e712ad96c1e1302c7170a9b07bb');
INSERT INTO "audit" VALUES(7,'bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/pressed','2026-11-27T21:02:52.861612+00:00','pressed','U0CAROL',NULL,'{"activeflow_id":null,"at":"2026-11-27 21:02:52.861612+00:00","channel":"C0INCIDENTS","detail":{"asked_by":"U0ALICE","because":"allowed by grant 1","bulk":"dc68ada23e095d4f9681edd28e4d4bd7","count":3,"grant":1,"policy":"6565b248a423"},"intent_id":"dc68ada23e095d4f9681edd28e4d4bd7","key":"bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/pressed","reason":"they loop","what":"pressed","who":"U0CAROL"}','713324c65e71edb6bb3cf0d961bb3d57e72f5e712ad96c1e1302c7170a9b07bb','5ad332bb3403958dfdf1355a0ac3544f1110bf86b5873be6db7a78d565d8e6d6');
INSERT INTO "audit" VALUES(8,'stop:31cf1647f0bfccf1cb3568fb7b49aaf2:U0CAROL:1795813372.791242/sending/1','2026-11-27T21:02:53.098936+00:00','sending','U0CAROL','992b4310-5f67-432d-b4f8-16566c4fb760','{"activeflow_id":"992b4310-5f67-432d-b4f8-16566c4fb760","at":"2026-11-27 21:02:53.098936+00:00","channel":"C0INCIDENTS","detail":{"attempt":1,"because":"allowed by grant 1","bulk":"dc68ada23e095d4f9681edd28e4d4bd7","grant":1,"policy":"6565b248a423"},"intent_id":"31cf1647f0bfccf1cb3568fb7b49aaf2","key":"stop:31cf1647f0bfccf1cb3568fb7b49aaf2:U0CAROL:1795813372.791242/sending/1","reason":"they loop","what":"sending","who":"U0CAROL"}','5ad332bb3403958dfdf1355a0ac3544f1110bf86b5873be6db7a78d565d8e6d6','46e1aad19f37b1814d205e7f8ae246c4002a938602c5b83c0eb1dc6889918e00');
INSERT INTO "audit" VALUES(9,'stop:31cf1647f0bfccf1cb3568fb7b49aaf2:U0CAROL:1795813372.791242/outcome','2026-11-27T21:02:53.260319+00:00','outcome','U0CAROL','992b4310-5f67-432d-b4f8-16566c4fb760','{"activeflow_id":"992b4310-5f67-432d-b4f8-16566c4fb760","at":"2026-11-27 21:02:53.260319+00:00","channel":"C0INCIDENTS","detail":{"attribution":"this press","bulk":"dc68ada23e095d4f9681edd28e4d4bd7","outcome":"Ended","request_id":null,"why":null},"intent_id":"31cf1647f0bfccf1cb3568fb7b49aaf2","key":"stop:31cf1647f0bfccf1cb3568fb7b49aaf2:U0CAROL:1795813372.791242/outcome","reason":"they loop","what":"outcome","who":"U0CAROL"}','46e1aad19f37b1814d205e7f8ae246c4002a938602c5b83c0eb1dc6889918e00','0cacc1480e636928758b8ec4e7c02c3d9b1075b5e7a275755605f71e47102c20');
INSERT INTO "audit" VALUES(10,'stop:0b0a2171c657194352ceeca3097be20b:U0CAROL:1795813372.791242/sending/1','2026-11-27T21:02:53.601592+00:00','sending','U0CAROL','7aaaf926-1956-4a5c-bac5-be0ffbe2caa2','{"activeflow_id":"7aaaf926-1956-4a5c-bac5-be0ffbe2caa2","at":"2026-11-27 21:02:53.601592+00:00","channel":"C0INCIDENTS","detail":{"attempt":1,"because":"allowed by grant 1","bulk":"dc68ada23e095d4f9681edd28e4d4bd7","grant":1,"policy":"6565b248a423"},"intent_id":"0b0a2171c657194352ceeca3097be20b","key":"stop:0b0a2171c657194352ceeca3097be20b:U0CAROL:1795813372.791242/sending/1","reason":"they loop","what":"sending","who":"U0CAROL"}','0cacc1480e636928758b8ec4e7c02c3d9b1075b5e7a275755605f71e47102c20','47bfb836ebb102c132a10a7bfc2bb13d3cbf7b023f79f1b781387129fb68ddb0');
INSERT INTO "audit" VALUES(11,'stop:7fbcaf7dc8024972c2a052ad5620b1b1:U0CAROL:1795813372.791242/sending/1','2026-11-27T21:02:53.616696+00:00','sending','U0CAROL','5296209e-001a-4c44-b6d9-60dcf3eff1e2','{"activeflow_id":"5296209e-001a-4c44-b6d9-60dcf3eff1e2","at":"2026-11-27 21:02:53.616696+00:00","channel":"C0INCIDENTS","detail":{"attempt":1,"because":"allowed by grant 1","bulk":"dc68ada23e095d4f9681edd28e4d4bd7","grant":1,"policy":"6565b248a423"},"intent_id":"7fbcaf7dc8024972c2a052ad5620b1b1","key":"stop:7fbcaf7dc8024972c2a052ad5620b1b1:U0CAROL:1795813372.791242/sending/1","reason":"they loop","what":"sending","who":"U0CAROL"}','47bfb836ebb102c132a10a7bfc2bb13d3cbf7b023f79f1b781387129fb68ddb0','fd69f77951c653c1ce7440af20a49c144aa0f713d2319aa3bc1e97283e2ee87a');
INSERT INTO "audit" VALUES(12,'stop:0b0a2171c657194352ceeca3097be20b:U0CAROL:1795813372.791242/outcome','2026-11-27T21:02:53.766649+00:00','outcome','U0CAROL','7aaaf926-1956-4a5c-bac5-be0ffbe2caa2','{"activeflow_id":"7aaaf926-1956-4a5c-bac5-be0ffbe2caa2","at":"2026-11-27 21:02:53.766649+00:00","channel":"C0INCIDENTS","detail":{"attribution":"this press","bulk":"dc68ada23e095d4f9681edd28e4d4bd7","outcome":"Ended","request_id":null,"why":null},"intent_id":"0b0a2171c657194352ceeca3097be20b","key":"stop:0b0a2171c657194352ceeca3097be20b:U0CAROL:1795813372.791242/outcome","reason":"they loop","what":"outcome","who":"U0CAROL"}','fd69f77951c653c1ce7440af20a49c144aa0f713d2319aa3bc1e97283e2ee87a','d901fd6fa2d4cebaa1764ba68a8e18d50644a22cc3b4a27940108f47958aa0c5');
INSERT INTO "audit" VALUES(13,'stop:7fbcaf7dc8024972c2a052ad5620b1b1:U0CAROL:1795813372.791242/outcome','2026-11-27T21:02:53.770150+00:00','outcome','U0CAROL','5296209e-001a-4c44-b6d9-60dcf3eff1e2','{"activeflow_id":"5296209e-001a-4c44-b6d9-60dcf3eff1e2","at":"2026-11-27 21:02:53.770150+00:00","channel":"C0INCIDENTS","detail":{"attribution":"this press","bulk":"dc68ada23e095d4f9681edd28e4d4bd7","outcome":"Ended","request_id":null,"why":null},"intent_id":"7fbcaf7dc8024972c2a052ad5620b1b1","key":"stop:7fbcaf7dc8024972c2a052ad5620b1b1:U0CAROL:1795813372.791242/outcome","reason":"they loop","what":"outcome","who":"U0CAROL"}','d901fd6fa2d4cebaa1764ba68a8e18d50644a22cc3b4a27940108f47958aa0c5','2c25b6b025431ca7492069593be832acf4aad373a08226af2b1ab262d542cc2f');
INSERT INTO "audit" VALUES(14,'bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/outcome','2026-11-27T21:03:00.211717+00:00','outcome','U0CAROL',NULL,'{"activeflow_id":null,"at":"2026-11-27 21:03:00.211717+00:00","channel":"C0INCIDENTS","detail":{"bulk":"dc68ada23e095d4f9681edd28e4d4bd7","halted":"","outcome":"3 of 3 ended","why":null},"intent_id":"dc68ada23e095d4f9681edd28e4d4bd7","key":"bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/outcome","reason":"they loop","what":"outcome","who":"U0CAROL"}','2c25b6b025431ca7492069593be832acf4aad373a08226af2b1ab262d542cc2f','6c6a146536a377ecf956f36577c8ff3bc74f17bc9b9d0a1214f00baadbd2edff');
INSERT INTO "audit" VALUES(15,'f6a8d7ad55ce1f9b0910f42ad2928dd7/asked','2026-11-27T21:03:00.286099+00:00','asked','U0ALICE','dfe20111-5b83-4405-ba8c-555acd528ed0','{"activeflow_id":"dfe20111-5b83-4405-ba8c-555acd528ed0","at":"2026-11-27 21:03:00.286099+00:00","channel":"C0INCIDENTS","detail":{"because":"allowed by grant 1","now":false,"seen":"digits"},"intent_id":"f6a8d7ad55ce1f9b0910f42ad2928dd7","key":"f6a8d7ad55ce1f9b0910f42ad2928dd7/asked","reason":"it loops","what":"asked","who":"U0ALICE"}','6c6a146536a377ecf956f36577c8ff3bc74f17bc9b9d0a1214f00baadbd2edff','4df01a2c5f98bdba41ef8770e85dfab5e7bb35b854386ff334e35c8fb5485a6c');
INSERT INTO "audit" VALUES(16,'stop:f6a8d7ad55ce1f9b0910f42ad2928dd7:U0CAROL:1795813380.293251/pressed','2026-11-27T21:03:00.353709+00:00','pressed','U0CAROL','dfe20111-5b83-4405-ba8c-555acd528ed0','{"activeflow_id":"dfe20111-5b83-4405-ba8c-555acd528ed0","at":"2026-11-27 21:03:00.353709+00:00","channel":"C0INCIDENTS","detail":{"asked_by":"U0ALICE","because":"allowed by grant 1","grant":1,"now":false,"policy":"6565b248a423","seen":"digits"},"intent_id":"f6a8d7ad55ce1f9b0910f42ad2928dd7","key":"stop:f6a8d7ad55ce1f9b0910f42ad2928dd7:U0CAROL:1795813380.293251/pressed","reason":"it loops","what":"pressed","who":"U0CAROL"}','4df01a2c5f98bdba41ef8770e85dfab5e7bb35b854386ff334e35c8fb5485a6c','ca8ca0f13511a9e0e56cda90bfbce88356794c19a23e5bd82820cb42cff3901f');
CREATE TABLE bulk_members (
	bulk_id VARCHAR(32) NOT NULL, 
	number INTEGER NOT NULL, 
	became VARCHAR(16) NOT NULL, 
	PRIMARY KEY (bulk_id, number)
);
INSERT INTO "bulk_members" VALUES('dc68ada23e095d4f9681edd28e4d4bd7',1,'stopped');
INSERT INTO "bulk_members" VALUES('dc68ada23e095d4f9681edd28e4d4bd7',2,'stopped');
INSERT INTO "bulk_members" VALUES('dc68ada23e095d4f9681edd28e4d4bd7',3,'stopped');
CREATE TABLE bulks (
	id VARCHAR(32) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	press_id VARCHAR(200) NOT NULL, 
	"by" VARCHAR(32) NOT NULL, 
	since VARCHAR(32), 
	until VARCHAR(32), 
	aborted_by VARCHAR(32) NOT NULL, 
	body TEXT NOT NULL, 
	ending TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "bulks" VALUES('dc68ada23e095d4f9681edd28e4d4bd7','done','bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242','U0CAROL','2026-11-27T21:02:52.793999+00:00','2026-11-27T21:07:52.793999+00:00','','{"id":"dc68ada23e095d4f9681edd28e4d4bd7","filters":{"flow":"Sales","type":null,"action":null,"status":"running","older":null,"newer":null},"members":[{"number":1,"activeflow_id":"992b4310-5f67-432d-b4f8-16566c4fb760","flow_id":"53855ee5-8b06-411d-9c7b-680bd1a97cfc","flow_name":"Sales","kind":"play","words":"playing audio","reference_type":"call","created_at":"2026-11-27T21:02:52.503994Z","call_id":"cff4caf1-ac82-4d23-8ff2-8edad536574b","on_complete":"","circle":[]},{"number":2,"activeflow_id":"7aaaf926-1956-4a5c-bac5-be0ffbe2caa2","flow_id":"53855ee5-8b06-411d-9c7b-680bd1a97cfc","flow_name":"Sales","kind":"play","words":"playing audio","reference_type":"call","created_at":"2026-11-27T21:02:52.504238Z","call_id":"d4c89338-a604-4d6c-8ca0-9b4665e34982","on_complete":"","circle":[]},{"number":3,"activeflow_id":"5296209e-001a-4c44-b6d9-60dcf3eff1e2","flow_id":"53855ee5-8b06-411d-9c7b-680bd1a97cfc","flow_name":"Sales","kind":"play","words":"playing audio","reference_type":"call","created_at":"2026-11-27T21:02:52.504354Z","call_id":"31e76e08-f5d8-46f9-bc9c-f62d3931aee3","on_complete":"","circle":[]}],"asked_by":"U0ALICE","channel":"C0INCIDENTS","reason":"they loop","asked_at":"2026-11-27T21:02:52.764820Z","deadline":"2026-11-27T21:07:52.764820Z","as_of":"2026-11-27T21:02:52.508857Z","complete_since":null,"left":{"uncertain":[],"hidden":0,"unnamed":0},"sample":["992b4310 playing audio, caller +1555•••••01","7aaaf926 playing audio, caller +1555•••••01","5296209e playing audio, caller +1555•••••01"],"second_person":true,"on_behalf":false,"limit":50,"message_ts":"1795813372.779885","thread":""}','{"halted":"","more":0,"receipt":"14:6c6a146536","up":[],"unheard":[],"refused":"","calls":{}}');
CREATE TABLE claims (
	activeflow_id VARCHAR(36) NOT NULL, 
	press_id VARCHAR(200) NOT NULL, 
	"by" VARCHAR(32) NOT NULL, 
	lapses_at VARCHAR(32) NOT NULL, 
	PRIMARY KEY (activeflow_id)
);
INSERT INTO "claims" VALUES('dfe20111-5b83-4405-ba8c-555acd528ed0','stop:f6a8d7ad55ce1f9b0910f42ad2928dd7:U0CAROL:1795813380.293251','U0CAROL','2026-11-27T21:08:30.286099+00:00');
CREATE TABLE dbos_migrations (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "dbos_migrations" VALUES(125);
CREATE TABLE heads (
	day VARCHAR(10) NOT NULL, 
	seq INTEGER NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	PRIMARY KEY (day)
);
INSERT INTO "heads" VALUES('2026-11-27',13,'2c25b6b025431ca7492069593be832acf4aad373a08226af2b1ab262d542cc2f');
CREATE TABLE intents (
	id VARCHAR(32) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	press_id VARCHAR(200) NOT NULL, 
	body TEXT NOT NULL, 
	ended TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "intents" VALUES('d6b2cdc6b521fae700ad899b57b679d0','settled','stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208','{"id":"d6b2cdc6b521fae700ad899b57b679d0","activeflow_id":"c6e00009-01cb-497c-90d6-2db922b7c423","flow_id":"a3453e78-5201-45f5-8d05-bb48446c268c","seen":{"flow_name":"Support line","kind":"digits","words":"waiting for keypad input","consequences":["Hangs up on the caller: +1555•••••01, incoming call, connected for under 1 s.","Cannot be undone."],"reference_type":"call","call_id":"204feeb9-ded2-4a29-98cd-2cc9dcf7e86c","on_complete":"","on_complete_flow_id":null,"created_at":"2026-11-27T21:02:51.631619Z","circle":[]},"asked_by":"U0ALICE","channel":"C0INCIDENTS","reason":"it loops","asked_at":"2026-11-27T21:02:51.934686Z","deadline":"2026-11-27T21:07:51.934686Z","on_behalf":false,"without_second_question":false,"message_ts":"1795813371.965058","bulk_id":"","reason_by":"","among":1,"thread":""}','{"by":"U0CAROL","attribution":"this press","at":"2026-11-27T21:02:52.244839Z","call":{"state":"hung_up","at":"2026-11-27T21:02:52.504372Z","hung_up_by":"","why":"","read_at":null,"until":null},"child":null,"receipt":"5:ab0a46bc4f","trouble":{"why":"","request_id":""}}');
INSERT INTO "intents" VALUES('31cf1647f0bfccf1cb3568fb7b49aaf2','settled','stop:31cf1647f0bfccf1cb3568fb7b49aaf2:U0CAROL:1795813372.791242','{"id":"31cf1647f0bfccf1cb3568fb7b49aaf2","activeflow_id":"992b4310-5f67-432d-b4f8-16566c4fb760","flow_id":"53855ee5-8b06-411d-9c7b-680bd1a97cfc","seen":{"flow_name":"Sales","kind":"play","words":"playing audio","consequences":[],"reference_type":"call","call_id":"cff4caf1-ac82-4d23-8ff2-8edad536574b","on_complete":"","on_complete_flow_id":null,"created_at":"2026-11-27T21:02:52.503994Z","circle":[]},"asked_by":"U0ALICE","channel":"C0INCIDENTS","reason":"they loop","asked_at":"2026-11-27T21:02:52.764820Z","deadline":"2026-11-27T21:07:52.793999Z","on_behalf":false,"without_second_question":false,"message_ts":"","bulk_id":"dc68ada23e095d4f9681edd28e4d4bd7","reason_by":"","among":3,"thread":""}','{"by":"U0CAROL","attribution":"this press","at":"2026-11-27T21:02:53.102238Z","call":null,"child":null,"receipt":"9:0cacc1480e","trouble":{"why":"","request_id":""}}');
INSERT INTO "intents" VALUES('0b0a2171c657194352ceeca3097be20b','settled','stop:0b0a2171c657194352ceeca3097be20b:U0CAROL:1795813372.791242','{"id":"0b0a2171c657194352ceeca3097be20b","activeflow_id":"7aaaf926-1956-4a5c-bac5-be0ffbe2caa2","flow_id":"53855ee5-8b06-411d-9c7b-680bd1a97cfc","seen":{"flow_name":"Sales","kind":"play","words":"playing audio","consequences":[],"reference_type":"call","call_id":"d4c89338-a604-4d6c-8ca0-9b4665e34982","on_complete":"","on_complete_flow_id":null,"created_at":"2026-11-27T21:02:52.504238Z","circle":[]},"asked_by":"U0ALICE","channel":"C0INCIDENTS","reason":"they loop","asked_at":"2026-11-27T21:02:52.764820Z","deadline":"2026-11-27T21:07:52.793999Z","on_behalf":false,"without_second_question":false,"message_ts":"","bulk_id":"dc68ada23e095d4f9681edd28e4d4bd7","reason_by":"","among":3,"thread":""}','{"by":"U0CAROL","attribution":"this press","at":"2026-11-27T21:02:53.606312Z","call":null,"child":null,"receipt":"12:d901fd6fa2","trouble":{"why":"","request_id":""}}');
INSERT INTO "intents" VALUES('7fbcaf7dc8024972c2a052ad5620b1b1','settled','stop:7fbcaf7dc8024972c2a052ad5620b1b1:U0CAROL:1795813372.791242','{"id":"7fbcaf7dc8024972c2a052ad5620b1b1","activeflow_id":"5296209e-001a-4c44-b6d9-60dcf3eff1e2","flow_id":"53855ee5-8b06-411d-9c7b-680bd1a97cfc","seen":{"flow_name":"Sales","kind":"play","words":"playing audio","consequences":[],"reference_type":"call","call_id":"31e76e08-f5d8-46f9-bc9c-f62d3931aee3","on_complete":"","on_complete_flow_id":null,"created_at":"2026-11-27T21:02:52.504354Z","circle":[]},"asked_by":"U0ALICE","channel":"C0INCIDENTS","reason":"they loop","asked_at":"2026-11-27T21:02:52.764820Z","deadline":"2026-11-27T21:07:52.793999Z","on_behalf":false,"without_second_question":false,"message_ts":"","bulk_id":"dc68ada23e095d4f9681edd28e4d4bd7","reason_by":"","among":3,"thread":""}','{"by":"U0CAROL","attribution":"this press","at":"2026-11-27T21:02:53.620088Z","call":null,"child":null,"receipt":"13:2c25b6b025","trouble":{"why":"","request_id":""}}');
INSERT INTO "intents" VALUES('f6a8d7ad55ce1f9b0910f42ad2928dd7','stopping','stop:f6a8d7ad55ce1f9b0910f42ad2928dd7:U0CAROL:1795813380.293251','{"id":"f6a8d7ad55ce1f9b0910f42ad2928dd7","activeflow_id":"dfe20111-5b83-4405-ba8c-555acd528ed0","flow_id":"a3453e78-5201-45f5-8d05-bb48446c268c","seen":{"flow_name":"Support line","kind":"digits","words":"waiting for keypad input","consequences":["Hangs up on the caller: +1555•••••01, incoming call, connected for 8 s.","Cannot be undone."],"reference_type":"call","call_id":"9f95041c-5ce2-4eba-be25-bf5a30014212","on_complete":"","on_complete_flow_id":null,"created_at":"2026-11-27T21:02:51.631906Z","circle":[]},"asked_by":"U0ALICE","channel":"C0INCIDENTS","reason":"it loops","asked_at":"2026-11-27T21:03:00.286099Z","deadline":"2026-11-27T21:08:00.286099Z","on_behalf":false,"without_second_question":false,"message_ts":"1795813380.290826","bulk_id":"","reason_by":"","among":1,"thread":""}',NULL);
CREATE TABLE leases (
	name VARCHAR(40) NOT NULL, 
	holder VARCHAR(36) NOT NULL, 
	lapses_at INTEGER NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE notifications (
    message_uuid TEXT NOT NULL DEFAULT (hex(randomblob(16))) PRIMARY KEY,
    destination_uuid TEXT NOT NULL,
    topic TEXT,
    message TEXT NOT NULL,
    created_at_epoch_ms INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000), "serialization" TEXT DEFAULT NULL, "consumed" BOOLEAN NOT NULL DEFAULT FALSE, consumed_by_function_id INTEGER,
    FOREIGN KEY (destination_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE "operation_outputs" (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    function_name TEXT NOT NULL DEFAULT '',
    output TEXT,
    error TEXT,
    child_workflow_id TEXT,
    started_at_epoch_ms INTEGER,
    completed_at_epoch_ms INTEGER,
    serialization TEXT,
    application_name TEXT DEFAULT NULL,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    PRIMARY KEY (workflow_uuid, function_id)
);
INSERT INTO "operation_outputs" VALUES('stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208',1,'begin','"in time"',NULL,NULL,1795813372035,1795813372050,'flows_bot_json','flows-bot',1795813372000);
INSERT INTO "operation_outputs" VALUES('stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208',2,'admit','{"intent": {"id": "d6b2cdc6b521fae700ad899b57b679d0", "activeflow_id": "c6e00009-01cb-497c-90d6-2db922b7c423", "flow_id": "a3453e78-5201-45f5-8d05-bb48446c268c", "seen": {"flow_name": "Support line", "kind": "digits", "words": "waiting for keypad input", "consequences": ["Hangs up on the caller: +1555\u2022\u2022\u2022\u2022\u202201, incoming call, connected for under 1 s.", "Cannot be undone."], "reference_type": "call", "call_id": "204feeb9-ded2-4a29-98cd-2cc9dcf7e86c", "on_complete": "", "on_complete_flow_id": null, "created_at": "2026-11-27T21:02:51.631619Z", "circle": []}, "asked_by": "U0ALICE", "channel": "C0INCIDENTS", "reason": "it loops", "asked_at": "2026-11-27T21:02:51.934686Z", "deadline": "2026-11-27T21:07:51.934686Z", "on_behalf": false, "without_second_question": false, "message_ts": "1795813371.965058", "bulk_id": "", "reason_by": "", "among": 1, "thread": ""}, "declined": null}',NULL,NULL,1795813372062,1795813372140,'flows_bot_json','flows-bot',1795813372000);
INSERT INTO "operation_outputs" VALUES('stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208',3,'claim','{"mine": true, "by": "", "state": "open", "unwritten": ""}',NULL,NULL,1795813372146,1795813372171,'flows_bot_json','flows-bot',1795813372000);
INSERT INTO "operation_outputs" VALUES('stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208',4,'send 1','{"sent": "answered", "trouble": {"why": "", "request_id": ""}, "retry_after": null, "closed": null, "renewed": null}',NULL,NULL,1795813372196,1795813372300,'flows_bot_json','flows-bot',1795813372000);
INSERT INTO "operation_outputs" VALUES('stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208',5,'verify','{"state": "ended", "at": "2026-11-27T21:02:52.244839Z", "by_itself": false, "trouble": {"why": "", "request_id": ""}, "read_at": null, "hanging_up": false}',NULL,NULL,1795813372316,1795813372447,'flows_bot_json','flows-bot',1795813372000);
INSERT INTO "operation_outputs" VALUES('stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208',6,'outcome','{"seen": true, "receipt": "5:ab0a46bc4f", "until": "2026-11-27T21:02:52.998168Z"}',NULL,NULL,1795813372458,1795813372512,'flows_bot_json','flows-bot',1795813372000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',1,'begin','"in time"',NULL,NULL,1795813372800,1795813372803,'flows_bot_json','flows-bot',1795813372000);
INSERT INTO "operation_outputs" VALUES('stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208',7,'aftermath','{"by": "U0CAROL", "attribution": "this press", "at": "2026-11-27T21:02:52.244839Z", "call": {"state": "hung_up", "at": "2026-11-27T21:02:52.504372Z", "hung_up_by": "", "why": "", "read_at": null, "until": null}, "child": null, "receipt": "5:ab0a46bc4f", "trouble": {"why": "", "request_id": ""}}',NULL,NULL,1795813372528,1795813372844,'flows_bot_json','flows-bot',1795813372000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',2,'admit bulk','{"bulk": {"id": "dc68ada23e095d4f9681edd28e4d4bd7", "filters": {"flow": "Sales", "type": null, "action": null, "status": "running", "older": null, "newer": null}, "members": [{"number": 1, "activeflow_id": "992b4310-5f67-432d-b4f8-16566c4fb760", "flow_id": "53855ee5-8b06-411d-9c7b-680bd1a97cfc", "flow_name": "Sales", "kind": "play", "words": "playing audio", "reference_type": "call", "created_at": "2026-11-27T21:02:52.503994Z", "call_id": "cff4caf1-ac82-4d23-8ff2-8edad536574b", "on_complete": "", "circle": []}, {"number": 2, "activeflow_id": "7aaaf926-1956-4a5c-bac5-be0ffbe2caa2", "flow_id": "53855ee5-8b06-411d-9c7b-680bd1a97cfc", "flow_name": "Sales", "kind": "play", "words": "playing audio", "reference_type": "call", "created_at": "2026-11-27T21:02:52.504238Z", "call_id": "d4c89338-a604-4d6c-8ca0-9b4665e34982", "on_complete": "", "circle": []}, {"number": 3, "activeflow_id": "5296209e-001a-4c44-b6d9-60dcf3eff1e2", "flow_id": "53855ee5-8b06-411d-9c7b-680bd1a97cfc", "flow_name": "Sales", "kind": "play", "words": "playing audio", "reference_type": "call", "created_at": "2026-11-27T21:02:52.504354Z", "call_id": "31e76e08-f5d8-46f9-bc9c-f62d3931aee3", "on_complete": "", "circle": []}], "asked_by": "U0ALICE", "channel": "C0INCIDENTS", "reason": "they loop", "asked_at": "2026-11-27T21:02:52.764820Z", "deadline": "2026-11-27T21:07:52.764820Z", "as_of": "2026-11-27T21:02:52.508857Z", "complete_since": null, "left": {"uncertain": [], "hidden": 0, "unnamed": 0}, "sample": ["992b4310 playing audio, caller +1555\u2022\u2022\u2022\u2022\u202201", "7aaaf926 playing audio, caller +1555\u2022\u2022\u2022\u2022\u202201", "5296209e playing audio, caller +1555\u2022\u2022\u2022\u2022\u202201"], "second_person": true, "on_behalf": false, "limit": 50, "message_ts": "1795813372.779885", "thread": ""}, "declined": null, "numbers": [1, 2, 3], "until": "2026-11-27T21:07:52.793999Z"}',NULL,NULL,1795813372813,1795813372870,'flows_bot_json','flows-bot',1795813372000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',3,'start bulk','{"state": "stopping", "press_id": "bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242", "by": "U0CAROL", "since": "2026-11-27T21:02:52.793999Z", "until": "2026-11-27T21:07:52.793999Z", "aborted_by": "", "became": {}, "ending": null, "unanswered": false}',NULL,NULL,1795813372877,1795813372881,'flows_bot_json','flows-bot',1795813372000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',4,'carry_out_member',NULL,NULL,'bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1',1795813372883,1795813372885,NULL,'flows-bot',1795813372000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1',1,'turn','{"intent": {"id": "31cf1647f0bfccf1cb3568fb7b49aaf2", "activeflow_id": "992b4310-5f67-432d-b4f8-16566c4fb760", "flow_id": "53855ee5-8b06-411d-9c7b-680bd1a97cfc", "seen": {"flow_name": "Sales", "kind": "play", "words": "playing audio", "consequences": [], "reference_type": "call", "call_id": "cff4caf1-ac82-4d23-8ff2-8edad536574b", "on_complete": "", "on_complete_flow_id": null, "created_at": "2026-11-27T21:02:52.503994Z", "circle": []}, "asked_by": "U0ALICE", "channel": "C0INCIDENTS", "reason": "they loop", "asked_at": "2026-11-27T21:02:52.764820Z", "deadline": "2026-11-27T21:07:52.793999Z", "on_behalf": false, "without_second_question": false, "message_ts": "", "bulk_id": "dc68ada23e095d4f9681edd28e4d4bd7", "reason_by": "", "among": 3, "thread": ""}, "became": null}',NULL,NULL,1795813373056,1795813373069,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1',2,'claim','{"mine": true, "by": "", "state": "open", "unwritten": ""}',NULL,NULL,1795813373084,1795813373089,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1',3,'send 1','{"sent": "answered", "trouble": {"why": "", "request_id": ""}, "retry_after": null, "closed": null, "renewed": null}',NULL,NULL,1795813373091,1795813373152,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1',4,'verify','{"state": "ended", "at": "2026-11-27T21:02:53.102238Z", "by_itself": false, "trouble": {"why": "", "request_id": ""}, "read_at": null, "hanging_up": false}',NULL,NULL,1795813373154,1795813373256,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1',5,'outcome','{"seen": true, "receipt": "9:0cacc1480e", "until": null}',NULL,NULL,1795813373258,1795813373266,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1',6,'count','true',NULL,NULL,1795813373269,1795813373274,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',5,'DBOS.getResult','"stopped"',NULL,'bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1',1795813372890,1795813373398,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',6,'carry_out_member',NULL,NULL,'bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2',1795813373402,1795813373406,NULL,'flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',7,'carry_out_member',NULL,NULL,'bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3',1795813373420,1795813373423,NULL,'flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2',1,'turn','{"intent": {"id": "0b0a2171c657194352ceeca3097be20b", "activeflow_id": "7aaaf926-1956-4a5c-bac5-be0ffbe2caa2", "flow_id": "53855ee5-8b06-411d-9c7b-680bd1a97cfc", "seen": {"flow_name": "Sales", "kind": "play", "words": "playing audio", "consequences": [], "reference_type": "call", "call_id": "d4c89338-a604-4d6c-8ca0-9b4665e34982", "on_complete": "", "on_complete_flow_id": null, "created_at": "2026-11-27T21:02:52.504238Z", "circle": []}, "asked_by": "U0ALICE", "channel": "C0INCIDENTS", "reason": "they loop", "asked_at": "2026-11-27T21:02:52.764820Z", "deadline": "2026-11-27T21:07:52.793999Z", "on_behalf": false, "without_second_question": false, "message_ts": "", "bulk_id": "dc68ada23e095d4f9681edd28e4d4bd7", "reason_by": "", "among": 3, "thread": ""}, "became": null}',NULL,NULL,1795813373571,1795813373575,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2',2,'claim','{"mine": true, "by": "", "state": "open", "unwritten": ""}',NULL,NULL,1795813373581,1795813373585,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3',1,'turn','{"intent": {"id": "7fbcaf7dc8024972c2a052ad5620b1b1", "activeflow_id": "5296209e-001a-4c44-b6d9-60dcf3eff1e2", "flow_id": "53855ee5-8b06-411d-9c7b-680bd1a97cfc", "seen": {"flow_name": "Sales", "kind": "play", "words": "playing audio", "consequences": [], "reference_type": "call", "call_id": "31e76e08-f5d8-46f9-bc9c-f62d3931aee3", "on_complete": "", "on_complete_flow_id": null, "created_at": "2026-11-27T21:02:52.504354Z", "circle": []}, "asked_by": "U0ALICE", "channel": "C0INCIDENTS", "reason": "they loop", "asked_at": "2026-11-27T21:02:52.764820Z", "deadline": "2026-11-27T21:07:52.793999Z", "on_behalf": false, "without_second_question": false, "message_ts": "", "bulk_id": "dc68ada23e095d4f9681edd28e4d4bd7", "reason_by": "", "among": 3, "thread": ""}, "became": null}',NULL,NULL,1795813373585,1795813373594,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3',2,'claim','{"mine": true, "by": "", "state": "open", "unwritten": ""}',NULL,NULL,1795813373599,1795813373608,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2',3,'send 1','{"sent": "answered", "trouble": {"why": "", "request_id": ""}, "retry_after": null, "closed": null, "renewed": null}',NULL,NULL,1795813373588,1795813373652,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3',3,'send 1','{"sent": "answered", "trouble": {"why": "", "request_id": ""}, "retry_after": null, "closed": null, "renewed": null}',NULL,NULL,1795813373611,1795813373663,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2',4,'verify','{"state": "ended", "at": "2026-11-27T21:02:53.606312Z", "by_itself": false, "trouble": {"why": "", "request_id": ""}, "read_at": null, "hanging_up": false}',NULL,NULL,1795813373655,1795813373755,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3',4,'verify','{"state": "ended", "at": "2026-11-27T21:02:53.620088Z", "by_itself": false, "trouble": {"why": "", "request_id": ""}, "read_at": null, "hanging_up": false}',NULL,NULL,1795813373667,1795813373760,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2',5,'outcome','{"seen": true, "receipt": "12:d901fd6fa2", "until": null}',NULL,NULL,1795813373763,1795813373777,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2',6,'count','true',NULL,NULL,1795813373779,1795813373790,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3',5,'outcome','{"seen": true, "receipt": "13:2c25b6b025", "until": null}',NULL,NULL,1795813373768,1795813373885,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3',6,'count','true',NULL,NULL,1795813373889,1795813373915,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',8,'DBOS.getResult','"stopped"',NULL,'bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2',1795813373429,1795813373938,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',9,'DBOS.getResult','"stopped"',NULL,'bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3',1795813373945,1795813373946,'flows_bot_json','flows-bot',1795813373000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',10,'look around','{"ended": [], "more": 0, "up": [], "unheard": []}',NULL,NULL,1795813373949,1795813380205,'flows_bot_json','flows-bot',1795813380000);
INSERT INTO "operation_outputs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',11,'bulk outcome','true',NULL,NULL,1795813380209,1795813380228,'flows_bot_json','flows-bot',1795813380000);
INSERT INTO "operation_outputs" VALUES('stop:f6a8d7ad55ce1f9b0910f42ad2928dd7:U0CAROL:1795813380.293251',1,'begin','"in time"',NULL,NULL,1795813380298,1795813380299,'flows_bot_json','flows-bot',1795813380000);
INSERT INTO "operation_outputs" VALUES('stop:f6a8d7ad55ce1f9b0910f42ad2928dd7:U0CAROL:1795813380.293251',2,'admit','{"intent": {"id": "f6a8d7ad55ce1f9b0910f42ad2928dd7", "activeflow_id": "dfe20111-5b83-4405-ba8c-555acd528ed0", "flow_id": "a3453e78-5201-45f5-8d05-bb48446c268c", "seen": {"flow_name": "Support line", "kind": "digits", "words": "waiting for keypad input", "consequences": ["Hangs up on the caller: +1555\u2022\u2022\u2022\u2022\u202201, incoming call, connected for 8 s.", "Cannot be undone."], "reference_type": "call", "call_id": "9f95041c-5ce2-4eba-be25-bf5a30014212", "on_complete": "", "on_complete_flow_id": null, "created_at": "2026-11-27T21:02:51.631906Z", "circle": []}, "asked_by": "U0ALICE", "channel": "C0INCIDENTS", "reason": "it loops", "asked_at": "2026-11-27T21:03:00.286099Z", "deadline": "2026-11-27T21:08:00.286099Z", "on_behalf": false, "without_second_question": false, "message_ts": "1795813380.290826", "bulk_id": "", "reason_by": "", "among": 1, "thread": ""}, "declined": null}',NULL,NULL,1795813380303,1795813380357,'flows_bot_json','flows-bot',1795813380000);
INSERT INTO "operation_outputs" VALUES('stop:f6a8d7ad55ce1f9b0910f42ad2928dd7:U0CAROL:1795813380.293251',3,'claim','{"mine": true, "by": "", "state": "open", "unwritten": ""}',NULL,NULL,1795813380359,1795813380362,'flows_bot_json','flows-bot',1795813380000);
CREATE TABLE queues (
    queue_id TEXT PRIMARY KEY DEFAULT (hex(randomblob(16))),
    name TEXT NOT NULL UNIQUE,
    concurrency INTEGER,
    worker_concurrency INTEGER,
    rate_limit_max INTEGER,
    rate_limit_period_sec REAL,
    priority_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    partition_queue BOOLEAN NOT NULL DEFAULT FALSE,
    polling_interval_sec REAL NOT NULL DEFAULT 1.0,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL, "partition_concurrency" INTEGER DEFAULT NULL, "partition_worker_concurrency" INTEGER DEFAULT NULL, "partition_rate_limit_max" INTEGER DEFAULT NULL, "partition_rate_limit_period_sec" REAL DEFAULT NULL);
INSERT INTO "queues" VALUES('495B62DA721DB73A5E8D00DE218EA9FA','bulk_members',2,2,NULL,NULL,1,0,0.25,1795813371000,1795813371490,'flows-bot',NULL,NULL,NULL,NULL);
CREATE TABLE replicas (
	id VARCHAR(36) NOT NULL, 
	seen_at INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE runs (
	press_id VARCHAR(200) NOT NULL, 
	number INTEGER NOT NULL, 
	begun_at VARCHAR(32) NOT NULL, 
	PRIMARY KEY (press_id)
);
INSERT INTO "runs" VALUES('stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208',1,'2026-11-27T21:02:52.055800+00:00');
INSERT INTO "runs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242',1,'2026-11-27T21:02:52.805552+00:00');
INSERT INTO "runs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1',1,'2026-11-27T21:02:53.041200+00:00');
INSERT INTO "runs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2',1,'2026-11-27T21:02:53.561464+00:00');
INSERT INTO "runs" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3',1,'2026-11-27T21:02:53.584593+00:00');
INSERT INTO "runs" VALUES('stop:f6a8d7ad55ce1f9b0910f42ad2928dd7:U0CAROL:1795813380.293251',1,'2026-11-27T21:03:00.303083+00:00');
CREATE TABLE streams (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    "offset" INTEGER NOT NULL, function_id INTEGER NOT NULL DEFAULT 0, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key, "offset"),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE usual (
	flow_id VARCHAR(36) NOT NULL, 
	place VARCHAR(48) NOT NULL, 
	counts TEXT NOT NULL, 
	learned_at VARCHAR(32) NOT NULL, 
	PRIMARY KEY (flow_id, place)
);
INSERT INTO "usual" VALUES('53855ee5-8b06-411d-9c7b-680bd1a97cfc','0023d0c9-7fb3-4776-a41b-4c4e04240cdc','[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','2026-11-27T21:03:00.512455+00:00');
INSERT INTO "usual" VALUES('53855ee5-8b06-411d-9c7b-680bd1a97cfc','0dfc16c5-03a6-442d-b8a4-0c74e0255e82','[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','2026-11-27T21:03:00.512455+00:00');
INSERT INTO "usual" VALUES('53855ee5-8b06-411d-9c7b-680bd1a97cfc','7bda8cec-e5b1-4a8f-a9a9-24c85600eee6','[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','2026-11-27T21:03:00.512455+00:00');
INSERT INTO "usual" VALUES('a3453e78-5201-45f5-8d05-bb48446c268c','b3d62723-1616-4814-9b88-198053ea6f18','[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]','2026-11-27T21:03:00.512455+00:00');
CREATE TABLE watches (
	id VARCHAR(32) NOT NULL, 
	activeflow_id VARCHAR(36) NOT NULL, 
	channel VARCHAR(32) NOT NULL, 
	since VARCHAR(32) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	message_ts VARCHAR(32) NOT NULL, 
	body TEXT NOT NULL, 
	known TEXT NOT NULL, 
	ending TEXT, 
	ended_at VARCHAR(32), 
	PRIMARY KEY (id)
);
INSERT INTO "watches" VALUES('b05585fb1d012ecc9c7fa004e66962a9','caf2ca02-472f-4774-82fd-8b0a294c1ed3','C0INCIDENTS','2026-11-27T21:02:51.782093+00:00','open','1795813371.831305','{"id":"b05585fb1d012ecc9c7fa004e66962a9","activeflow_id":"caf2ca02-472f-4774-82fd-8b0a294c1ed3","flow_id":"a3453e78-5201-45f5-8d05-bb48446c268c","flow_name":"Support line","reference_type":"call","began":"2026-11-27T21:02:51.631816Z","channel":"C0INCIDENTS","by":"U0ALICE","since":"2026-11-27T21:02:51.782093Z","until":"2026-11-28T21:02:51.782093Z","message_ts":"","thread":""}','{"version":["2026-11-27T21:02:51.631842Z",1],"kind":"digits","now":{"at":"2026-11-27T21:02:51.631842Z","words":"waiting for keypad input"},"steps":1,"as_of":"2026-11-27T21:02:51.697025Z","earlier":[],"warnings":[]}',NULL,NULL);
CREATE TABLE workflow_events (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events_history (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, function_id, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_input (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    inputs TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_input" VALUES('stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208','{"args": [{"intent_id": "d6b2cdc6b521fae700ad899b57b679d0", "by": "U0CAROL", "team": "T0NORTHWND", "channel": "C0INCIDENTS", "message_ts": "1795813371.965058", "action_ts": "1795813371.973208", "trigger_id": "942964232303.310003279570.bb9fb2c3b832d24673280b5612a8dc2c", "response_url": "http://127.0.0.1:34623/actions/T0NORTHWND/2178992403567/QnYS6aqSz-u70LWc1sCU6rMt", "at": "2026-11-27T21:02:51.994717Z", "wish": "stop", "reason": "", "thread": ""}, "2026-11-27T21:02:53.494800+00:00"], "kwargs": {}}',1795813372000);
INSERT INTO "workflow_input" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242','{"args": [{"intent_id": "dc68ada23e095d4f9681edd28e4d4bd7", "by": "U0CAROL", "team": "T0NORTHWND", "channel": "C0INCIDENTS", "message_ts": "1795813372.779885", "action_ts": "1795813372.791242", "trigger_id": "67142046842.349153322770.8417a186d1f085bda40e387a5dc727ea", "response_url": "http://127.0.0.1:34623/actions/T0NORTHWND/3806540757306/w6D_WSm27QMThGMztaMYJd6R", "at": "2026-11-27T21:02:52.793999Z", "wish": "bulk", "reason": "", "thread": ""}, "2026-11-27T21:02:54.294076+00:00"], "kwargs": {}}',1795813372000);
INSERT INTO "workflow_input" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1','{"args": [{"intent_id": "dc68ada23e095d4f9681edd28e4d4bd7", "by": "U0CAROL", "team": "T0NORTHWND", "channel": "C0INCIDENTS", "message_ts": "1795813372.779885", "action_ts": "1795813372.791242", "trigger_id": "", "response_url": "", "at": "2026-11-27T21:02:52.793999Z", "wish": "bulk", "reason": "", "thread": ""}, 1], "kwargs": {}}',1795813372000);
INSERT INTO "workflow_input" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2','{"args": [{"intent_id": "dc68ada23e095d4f9681edd28e4d4bd7", "by": "U0CAROL", "team": "T0NORTHWND", "channel": "C0INCIDENTS", "message_ts": "1795813372.779885", "action_ts": "1795813372.791242", "trigger_id": "", "response_url": "", "at": "2026-11-27T21:02:52.793999Z", "wish": "bulk", "reason": "", "thread": ""}, 2], "kwargs": {}}',1795813373000);
INSERT INTO "workflow_input" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3','{"args": [{"intent_id": "dc68ada23e095d4f9681edd28e4d4bd7", "by": "U0CAROL", "team": "T0NORTHWND", "channel": "C0INCIDENTS", "message_ts": "1795813372.779885", "action_ts": "1795813372.791242", "trigger_id": "", "response_url": "", "at": "2026-11-27T21:02:52.793999Z", "wish": "bulk", "reason": "", "thread": ""}, 3], "kwargs": {}}',1795813373000);
INSERT INTO "workflow_input" VALUES('stop:f6a8d7ad55ce1f9b0910f42ad2928dd7:U0CAROL:1795813380.293251','{"args": [{"intent_id": "f6a8d7ad55ce1f9b0910f42ad2928dd7", "by": "U0CAROL", "team": "T0NORTHWND", "channel": "C0INCIDENTS", "message_ts": "1795813380.290826", "action_ts": "1795813380.293251", "trigger_id": "269353850650.777416988573.ddb5c3c77692470f27b3c47bd7de7164", "response_url": "http://127.0.0.1:34623/actions/T0NORTHWND/3280222658073/CCzA98T4cQ4iIPVphhTOPoi9", "at": "2026-11-27T21:03:00.295357Z", "wish": "stop", "reason": "", "thread": ""}, "2026-11-27T21:03:01.795428+00:00"], "kwargs": {}}',1795813380000);
CREATE TABLE workflow_output (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    output TEXT,
    error TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_output" VALUES('stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208','null',NULL,1795813372000);
INSERT INTO "workflow_output" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1','"stopped"',NULL,1795813373000);
INSERT INTO "workflow_output" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2','"stopped"',NULL,1795813373000);
INSERT INTO "workflow_output" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3','"stopped"',NULL,1795813373000);
INSERT INTO "workflow_output" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242','null',NULL,1795813380000);
CREATE TABLE workflow_schedules (
    schedule_id TEXT PRIMARY KEY,
    schedule_name TEXT NOT NULL UNIQUE,
    workflow_name TEXT NOT NULL,
    workflow_class_name TEXT,
    schedule TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE',
    context TEXT NOT NULL
, "last_fired_at" TEXT DEFAULT NULL, "automatic_backfill" BOOLEAN NOT NULL DEFAULT FALSE, "cron_timezone" TEXT DEFAULT NULL, "queue_name" TEXT DEFAULT NULL, "application_name" TEXT DEFAULT NULL);
CREATE TABLE workflow_status (
    workflow_uuid TEXT PRIMARY KEY,
    status TEXT,
    name TEXT,
    authenticated_user TEXT,
    assumed_role TEXT,
    authenticated_roles TEXT,
    request TEXT,
    output TEXT,
    error TEXT,
    executor_id TEXT,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    application_version TEXT,
    application_id TEXT,
    class_name TEXT DEFAULT NULL,
    config_name TEXT DEFAULT NULL,
    recovery_attempts INTEGER DEFAULT 0,
    queue_name TEXT,
    workflow_timeout_ms INTEGER,
    workflow_deadline_epoch_ms INTEGER,
    inputs TEXT,
    started_at_epoch_ms INTEGER,
    deduplication_id TEXT,
    priority INTEGER NOT NULL DEFAULT 0
, queue_partition_key TEXT, forked_from TEXT, "owner_xid" TEXT DEFAULT NULL, "parent_workflow_id" TEXT DEFAULT NULL, "serialization" TEXT DEFAULT NULL, "delay_until_epoch_ms" BIGINT DEFAULT NULL, "was_forked_from" BOOLEAN NOT NULL DEFAULT FALSE, "rate_limited" BOOLEAN NOT NULL DEFAULT FALSE, "completed_at" BIGINT, "attributes" TEXT, "schedule_name" TEXT, "debounce_deadline_epoch_ms" BIGINT DEFAULT NULL, "is_debounced" BOOLEAN NOT NULL DEFAULT FALSE, "application_name" TEXT DEFAULT NULL, "creator_xid" TEXT DEFAULT NULL);
INSERT INTO "workflow_status" VALUES('stop:d6b2cdc6b521fae700ad899b57b679d0:U0CAROL:1795813371.973208','SUCCESS','carry_out_press',NULL,NULL,NULL,NULL,NULL,NULL,'sqlite',1795813372000,1795813372000,'2','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'flows_bot_json',NULL,0,0,1795813372000,'null',NULL,NULL,0,'flows-bot','b35572cf-672b-417a-94be-5c50a7524237');
INSERT INTO "workflow_status" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242','SUCCESS','carry_out_press',NULL,NULL,NULL,NULL,NULL,NULL,'sqlite',1795813372000,1795813380000,'2','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'flows_bot_json',NULL,0,0,1795813380000,'null',NULL,NULL,0,'flows-bot','332d42f2-9c9f-4e04-851e-cf5245a05764');
INSERT INTO "workflow_status" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/1','SUCCESS','carry_out_member',NULL,NULL,NULL,NULL,NULL,NULL,'sqlite',1795813372000,1795813373000,'2','',NULL,NULL,1,'bulk_members',NULL,NULL,NULL,1795813373000,NULL,0,NULL,NULL,NULL,'bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242','flows_bot_json',NULL,0,0,1795813373000,'null',NULL,NULL,0,'flows-bot','7421edd8-c3ed-475c-844b-5f152bcb5b4b');
INSERT INTO "workflow_status" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/2','SUCCESS','carry_out_member',NULL,NULL,NULL,NULL,NULL,NULL,'sqlite',1795813373000,1795813373000,'2','',NULL,NULL,1,'bulk_members',NULL,NULL,NULL,1795813373000,NULL,0,NULL,NULL,NULL,'bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242','flows_bot_json',NULL,0,0,1795813373000,'null',NULL,NULL,0,'flows-bot','662ba0a6-e606-4ce7-9457-63baaff6df81');
INSERT INTO "workflow_status" VALUES('bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242/3','SUCCESS','carry_out_member',NULL,NULL,NULL,NULL,NULL,NULL,'sqlite',1795813373000,1795813373000,'2','',NULL,NULL,1,'bulk_members',NULL,NULL,NULL,1795813373000,NULL,0,NULL,NULL,NULL,'bulk:dc68ada23e095d4f9681edd28e4d4bd7:U0CAROL:1795813372.791242','flows_bot_json',NULL,0,0,1795813373000,'null',NULL,NULL,0,'flows-bot','27dd038c-57fe-4d9f-95c7-c2cdb1c1f9e4');
INSERT INTO "workflow_status" VALUES('stop:f6a8d7ad55ce1f9b0910f42ad2928dd7:U0CAROL:1795813380.293251','PENDING','carry_out_press',NULL,NULL,NULL,NULL,NULL,NULL,'sqlite',1795813380000,1795813380000,'2','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,'bd7646f6-0035-45d5-954e-ab41cf9cf7ff',NULL,'flows_bot_json',NULL,0,0,NULL,'null',NULL,NULL,0,'flows-bot','bd7646f6-0035-45d5-954e-ab41cf9cf7ff');
CREATE INDEX audit_by_activeflow ON audit (activeflow_id, seq);
CREATE INDEX audit_by_person ON audit (who, seq);
CREATE INDEX usual_by_age ON usual (learned_at);
CREATE INDEX workflow_status_created_at_index ON workflow_status (created_at);
CREATE INDEX idx_workflow_topic ON notifications (destination_uuid, topic);
CREATE INDEX "idx_workflow_status_delayed" ON "workflow_status" ("delay_until_epoch_ms") WHERE status = 'DELAYED';
CREATE INDEX "idx_workflow_status_forked_from" ON "workflow_status" ("forked_from") WHERE "forked_from" IS NOT NULL;
CREATE INDEX "idx_workflow_status_parent_workflow_id" ON "workflow_status" ("parent_workflow_id") WHERE "parent_workflow_id" IS NOT NULL;
CREATE UNIQUE INDEX "uq_workflow_status_dedup_id" ON "workflow_status" ("queue_name", "deduplication_id") WHERE "deduplication_id" IS NOT NULL;
CREATE INDEX "idx_workflow_status_pending" ON "workflow_status" ("created_at") WHERE "status" = 'PENDING';
CREATE INDEX "idx_workflow_status_failed" ON "workflow_status" ("status", "created_at") WHERE "status" IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED');
CREATE INDEX "idx_workflow_status_rate_limited" ON "workflow_status" ("queue_name", "started_at_epoch_ms") WHERE "rate_limited" = TRUE;
CREATE INDEX "idx_workflow_status_completed_at" ON "workflow_status" ("completed_at") WHERE "completed_at" IS NOT NULL;
CREATE INDEX "idx_workflow_status_started_at" ON "workflow_status" ("started_at_epoch_ms") WHERE "started_at_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_workflow_status_schedule_name" ON "workflow_status" ("schedule_name") WHERE "schedule_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_owner_version"
    ON application_versions ("application_name", "version_name")
    WHERE "application_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_unclaimed_version"
    ON application_versions ("version_name")
    WHERE "application_name" IS NULL;
CREATE INDEX idx_workflow_input_retention
    ON workflow_input (retention_timestamp);
CREATE INDEX idx_workflow_output_retention
    ON workflow_output (retention_timestamp);
CREATE INDEX idx_operation_outputs_retention
    ON operation_outputs (retention_timestamp);
CREATE INDEX "idx_workflow_status_in_flight_v2" ON "workflow_status" ("queue_name", "status", "priority", "created_at", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING');
CREATE INDEX "idx_workflow_status_partition_dequeue_v3" ON "workflow_status" ("queue_name", "status", "queue_partition_key", "priority", "created_at", "workflow_uuid", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING') AND "queue_partition_key" IS NOT NULL;
CREATE INDEX "idx_operation_outputs_completed_at_function_name_v2" ON "operation_outputs" ("completed_at_epoch_ms", "function_name", "application_name");
CREATE INDEX "idx_workflow_status_deadline" ON "workflow_status" ("workflow_deadline_epoch_ms") WHERE "status" IN ('ENQUEUED', 'PENDING', 'DELAYED') AND "workflow_deadline_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_application_versions_timestamp" ON "application_versions" ("version_timestamp" DESC);
CREATE INDEX "idx_application_versions_owner_timestamp" ON "application_versions" ("application_name", "version_timestamp" DESC);
COMMIT;
