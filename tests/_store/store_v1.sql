-- A store of version 1, as sentrial-otel 0.1 made it: sqlite3's dump, and the pragmas that a dump leaves out.
PRAGMA application_id = 1397050964;
PRAGMA auto_vacuum = 2;
BEGIN TRANSACTION;
CREATE TABLE fragments (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        session_row INTEGER NOT NULL REFERENCES sessions (row_id),
        before_row INTEGER NOT NULL,
        position INTEGER NOT NULL,
        text_row INTEGER NOT NULL REFERENCES texts (row_id),
        UNIQUE (session_row, before_row, text_row)
    );
INSERT INTO "fragments" VALUES(1,1,0,0,1);
INSERT INTO "fragments" VALUES(2,1,0,0,2);
INSERT INTO "fragments" VALUES(3,1,2,1,3);
INSERT INTO "fragments" VALUES(4,1,3,2,4);
INSERT INTO "fragments" VALUES(5,1,4,3,5);
INSERT INTO "fragments" VALUES(6,3,0,0,6);
INSERT INTO "fragments" VALUES(7,3,6,1,7);
CREATE TABLE sessions (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        session_id TEXT NOT NULL UNIQUE,
        trace_id TEXT NOT NULL,
        root_span_id TEXT,
        name TEXT,
        agent TEXT,
        user TEXT,
        conversation TEXT,
        status TEXT NOT NULL,
        start_ns INTEGER NOT NULL,
        end_ns INTEGER NOT NULL,
        input_tokens INTEGER,
        output_tokens INTEGER,
        total_tokens INTEGER,
        cost REAL,
        llm_calls INTEGER NOT NULL,
        tool_calls INTEGER NOT NULL,
        decisions INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        events INTEGER NOT NULL,
        failure_reason TEXT,
        tally TEXT NOT NULL
    );
INSERT INTO "sessions" VALUES(1,'f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f','f1016c0628e806d196aeba1e4194ac7c','daa66d2c7ddf743f','Customer Support Request','support-agent','user_123','conv_456','failed',1795183385000000000,1795183388420000000,1500,500,2000,0.023,2,3,1,1,9,'refund needs a second pair of eyes','{"first_ns":1795183385000000000,"last_ns":1795183388420000000,"events":9,"sums":{"llm_calls":2,"input_tokens":1500,"output_tokens":500,"total_tokens":2000,"cost":23000000000,"tool_calls":3,"decisions":1,"errors":1},"identity":{"user":"user_123","agent":"support-agent"},"agent_ns":1795183385900000000,"root":{"agent":"support-agent","user":"user_123","conversation":"conv_456","start_ns":1795183385000000000,"end_ns":1795183388420000000,"outcome":"failed","name":"Customer Support Request"},"closing":"2 01795183388420000000 daa66d2c7ddf743f","close":{"input_tokens":1500,"output_tokens":500,"total_tokens":2000,"llm_calls":2,"tool_calls":3,"decisions":1,"errors":1,"status":"failed","cost":0.023,"end_ns":1795183388420000000,"failure_reason":"refund needs a second pair of eyes"}}');
INSERT INTO "sessions" VALUES(2,'00000001000000000000000000000001-0000000000000001','00000001000000000000000000000001','0000000000000001',NULL,'helper','someone',NULL,'completed',1795096985000000000,1795103385000000000,NULL,NULL,1234,1.5,0,0,0,0,0,NULL,'{"first_ns":1795096985000000000,"last_ns":1795103385000000000,"events":0,"sums":{},"identity":{},"agent_ns":null,"root":{"agent":"helper","user":"someone","conversation":null,"start_ns":1795096985000000000,"end_ns":1795103385000000000,"outcome":"completed","name":null},"closing":"2 01795103385000000000 0000000000000001","close":{"input_tokens":null,"output_tokens":null,"total_tokens":1234,"llm_calls":null,"tool_calls":null,"decisions":null,"errors":null,"status":"completed","cost":1.5,"end_ns":1795103385000000000,"failure_reason":null}}');
INSERT INTO "sessions" VALUES(3,'00000003000000000000000000000003-0000000000000001','00000003000000000000000000000003','0000000000000001',NULL,NULL,NULL,NULL,'running',1795183365000000000,1795183367000000000,123456,NULL,123456,0.5,1,0,0,0,1,NULL,'{"first_ns":1795183365000000000,"last_ns":1795183367000000000,"events":1,"sums":{"llm_calls":1,"input_tokens":123456,"total_tokens":123456,"cost":500000000000},"identity":{},"agent_ns":null,"root":null,"closing":"","close":{}}');
CREATE TABLE spans (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        session_row INTEGER REFERENCES sessions (row_id),
        trace_id BLOB NOT NULL,
        span_id BLOB NOT NULL,
        parent_span_id BLOB,
        event_type TEXT,
        name TEXT NOT NULL,
        start_ns INTEGER NOT NULL,
        end_ns INTEGER NOT NULL,
        status TEXT NOT NULL,
        skeleton TEXT NOT NULL,
        UNIQUE (trace_id, span_id)
    );
INSERT INTO "spans" VALUES(1,1,X'F1016C0628E806D196AEBA1E4194AC7C',X'78DDE6E5FD29F054',X'DAA66D2C7DDF743F','llm_call','chat gpt-4o',1795183385020000000,1795183385870000000,'UNSET','{"kind":"CLIENT","attributes":{"sentrial.session.id":"f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f","session.id":"conv_456","user.id":"user_123","sentrial.event.type":"llm_call","gen_ai.operation.name":"chat","gen_ai.provider.name":"openai","gen_ai.request.model":"gpt-4o","gen_ai.response.model":"gpt-4o-2024-08-06","gen_ai.response.finish_reasons":["stop"],"gen_ai.system_instructions":"[{\"type\": \"text\", \"content\": \"You help customers. Be kind.\"}]","gen_ai.input.messages":"[{\"role\": \"user\", \"parts\": [{\"type\": \"text\", \"content\": \"Where is my order 1042? It should have arrived on Monday, and the tracking page has not changed since.\"}]}]","gen_ai.output.messages":"[{\"role\": \"assistant\", \"parts\": [{\"type\": \"tool_call\", \"id\": \"call_1\", \"name\": \"lookup_order\", \"arguments\": {\"order_id\": 1042}}], \"finish_reason\": \"tool_calls\"}]","gen_ai.usage.input_tokens":412,"gen_ai.usage.output_tokens":31,"sentrial.estimated_cost":0.00134},"scope":["sentrial","0.1.0"],"resource":{"resource":"{\"service.name\":\"support\",\"telemetry.sdk.language\":\"python\"}"}}');
INSERT INTO "spans" VALUES(2,1,X'F1016C0628E806D196AEBA1E4194AC7C',X'1715609F7C746C69',X'DAA66D2C7DDF743F','tool_call','execute_tool lookup_order',1795183385900000000,1795183386040000000,'UNSET','{"kind":"INTERNAL","attributes":{"sentrial.session.id":"f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f","session.id":"conv_456","user.id":"user_123","sentrial.event.type":"tool_call","gen_ai.operation.name":"execute_tool","gen_ai.tool.name":"lookup_order","gen_ai.agent.name":"support-agent","gen_ai.tool.call.arguments":"{\"order_id\": 1042}","gen_ai.tool.call.result":"{\"order_id\": 1042, \"status\": \"in transit\", \"carrier\": \"R\\u00f8dk\\u00e6r Cargo\", \"days_late\": 4, \"total\": 249.9}","sentrial.estimated_cost":0.0002},"scope":["sentrial","0.1.0"],"resource":{"resource":"{\"service.name\":\"support\",\"telemetry.sdk.language\":\"python\"}"}}');
INSERT INTO "spans" VALUES(3,1,X'F1016C0628E806D196AEBA1E4194AC7C',X'F1BBCDCBFA53E0A8',X'538454127B096493','tool_call','execute_tool search_policy',1795183386100000000,1795183386350000000,'UNSET','{"kind":"INTERNAL","attributes":{"sentrial.session.id":"f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f","session.id":"conv_456","user.id":"user_123","sentrial.event.type":"tool_call","gen_ai.operation.name":"execute_tool","gen_ai.tool.name":"search_policy","gen_ai.agent.name":"support-agent","gen_ai.tool.call.arguments":"{\"query\": \"late order\"}","gen_ai.tool.call.result":{"text":1}},"scope":["sentrial","0.1.0"],"resource":{"resource":"{\"service.name\":\"support\",\"telemetry.sdk.language\":\"python\"}"}}');
INSERT INTO "spans" VALUES(4,1,X'F1016C0628E806D196AEBA1E4194AC7C',X'538454127B096493',X'B54CDA58FBBEE87E','session','invoke_agent policy-agent',1795183386060000000,1795183386360000000,'UNSET','{"kind":"INTERNAL","attributes":{"sentrial.session.id":"f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f","session.id":"conv_456","user.id":"user_123","sentrial.event.type":"session","gen_ai.agent.name":"policy-agent"},"scope":["sentrial","0.1.0"],"resource":{"resource":"{\"service.name\":\"support\",\"telemetry.sdk.language\":\"python\"}"}}');
INSERT INTO "spans" VALUES(5,1,X'F1016C0628E806D196AEBA1E4194AC7C',X'B54CDA58FBBEE87E',X'DAA66D2C7DDF743F','decision','decision support-agent',1795183386050000000,1795183386400000000,'UNSET','{"kind":"INTERNAL","attributes":{"sentrial.session.id":"f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f","session.id":"conv_456","user.id":"user_123","sentrial.event.type":"decision","sentrial.decision.chosen":"refund","sentrial.decision.alternatives":["refund","reship","apologise and wait"],"sentrial.decision.confidence":0.85,"sentrial.decision.reasoning":"Four days late, and the policy refunds after three."},"scope":["sentrial","0.1.0"],"resource":{"resource":"{\"service.name\":\"support\",\"telemetry.sdk.language\":\"python\"}"}}');
INSERT INTO "spans" VALUES(6,1,X'F1016C0628E806D196AEBA1E4194AC7C',X'8FF34785799E5CBD',X'DAA66D2C7DDF743F','tool_call','execute_tool issue_refund',1795183386420000000,1795183387170000000,'ERROR','{"kind":"INTERNAL","status_message":"249.90 is above the limit of 200.00","attributes":{"sentrial.session.id":"f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f","session.id":"conv_456","user.id":"user_123","sentrial.event.type":"tool_call","gen_ai.operation.name":"execute_tool","gen_ai.tool.name":"issue_refund","gen_ai.agent.name":"support-agent","gen_ai.tool.call.arguments":"{\"order_id\": 1042, \"amount\": 249.9}","sentrial.reasoning":"The customer asked for the money back.","error.type":"PaymentLimitError"},"events":[["exception",1795183387000000000,{"exception.type":"PaymentLimitError","exception.message":"249.90 is above the limit of 200.00","exception.stacktrace":"Traceback ..."}]],"scope":["sentrial","0.1.0"],"resource":{"resource":"{\"service.name\":\"support\",\"telemetry.sdk.language\":\"python\"}"}}');
INSERT INTO "spans" VALUES(7,1,X'F1016C0628E806D196AEBA1E4194AC7C',X'2E2AC13EF8E8D8D2',X'8FF34785799E5CBD',NULL,'POST',1795183386450000000,1795183387150000000,'UNSET','{"kind":"CLIENT","attributes":{"sentrial.session.id":"f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f","session.id":"conv_456","user.id":"user_123"},"scope":["sentrial","0.1.0"],"resource":{"resource":"{\"service.name\":\"support\",\"telemetry.sdk.language\":\"python\"}"}}');
INSERT INTO "spans" VALUES(8,1,X'F1016C0628E806D196AEBA1E4194AC7C',X'CC623AF8783354E7',X'DAA66D2C7DDF743F','error','error',1795183387200000000,1795183387200000000,'ERROR','{"kind":"INTERNAL","status_message":"refund above the agent''s limit","attributes":{"sentrial.session.id":"f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f","session.id":"conv_456","user.id":"user_123","sentrial.event.type":"error","error.type":"EscalationNeeded"},"events":[["exception",1795183387000000000,{"exception.type":"EscalationNeeded","exception.message":"refund above the agent''s limit","exception.stacktrace":"Traceback ...\n  refund(1042)\n"}]],"scope":["sentrial","0.1.0"],"resource":{"resource":"{\"service.name\":\"support\",\"telemetry.sdk.language\":\"python\"}"}}');
INSERT INTO "spans" VALUES(9,1,X'F1016C0628E806D196AEBA1E4194AC7C',X'6A99B4B1F77DD0FC',X'DAA66D2C7DDF743F','llm_call','chat gpt-4o',1795183387250000000,1795183388400000000,'UNSET','{"kind":"CLIENT","attributes":{"sentrial.session.id":"f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f","session.id":"conv_456","user.id":"user_123","sentrial.event.type":"llm_call","gen_ai.operation.name":"chat","gen_ai.provider.name":"openai","gen_ai.request.model":"gpt-4o","gen_ai.response.model":"gpt-4o-2024-08-06","gen_ai.response.finish_reasons":["stop"],"gen_ai.system_instructions":"[{\"type\": \"text\", \"content\": \"You help customers. Be kind.\"}]","gen_ai.input.messages":{"items":5,"comma":", "},"gen_ai.output.messages":"[{\"role\": \"assistant\", \"parts\": [{\"type\": \"text\", \"content\": \"I am sorry that your order is late. I could not refund it myself, so a colleague of the payments team will.\"}]}]","gen_ai.usage.input_tokens":1088,"gen_ai.usage.output_tokens":469,"sentrial.estimated_cost":0.02146},"scope":["sentrial","0.1.0"],"resource":{"resource":"{\"service.name\":\"support\",\"telemetry.sdk.language\":\"python\"}"}}');
INSERT INTO "spans" VALUES(10,1,X'F1016C0628E806D196AEBA1E4194AC7C',X'DAA66D2C7DDF743F',NULL,'session','invoke_agent support-agent',1795183385000000000,1795183388420000000,'ERROR','{"kind":"INTERNAL","status_message":"refund needs a second pair of eyes","attributes":{"gen_ai.operation.name":"invoke_agent","gen_ai.agent.name":"support-agent","sentrial.event.type":"session","sentrial.session.name":"Customer Support Request","session.id":"conv_456","user.id":"user_123","gen_ai.conversation.id":"conv_456","sentrial.metadata.ticket_id":"TKT-789","sentrial.metadata.channel":"web_chat","sentrial.metadata.priority":"high","sentrial.session.id":"f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f","gen_ai.input.messages":"[{\"role\": \"user\", \"parts\": [{\"type\": \"text\", \"content\": \"Where is my order 1042? It should have arrived on Monday, and the tracking page has not changed since.\"}]}]","gen_ai.output.messages":"[{\"role\": \"assistant\", \"parts\": [{\"type\": \"text\", \"content\": \"I am sorry that your order is late. I could not refund it myself, so a colleague of the payments team will.\"}]}]","sentrial.session.outcome":"failed","sentrial.session.success":false,"sentrial.session.failure_reason":"refund needs a second pair of eyes","gen_ai.usage.input_tokens":1500,"gen_ai.usage.output_tokens":500,"sentrial.usage.total_tokens":2000,"sentrial.estimated_cost":0.023,"sentrial.session.llm_calls":2,"sentrial.session.tool_calls":3,"sentrial.session.decisions":1,"sentrial.session.errors":1,"sentrial.metric.satisfaction":2.5,"sentrial.metric.resolution_time":120.0},"scope":["sentrial","0.1.0"],"resource":{"resource":"{\"service.name\":\"support\",\"telemetry.sdk.language\":\"python\"}"}}');
INSERT INTO "spans" VALUES(11,2,X'00000001000000000000000000000001',X'0000000000000001',NULL,'session','invoke_agent helper',1795096985000000000,1795103385000000000,'UNSET','{"kind":"INTERNAL","attributes":{"gen_ai.agent.name":"helper","sentrial.session.outcome":"completed","user.id":"someone","sentrial.usage.total_tokens":1234,"sentrial.estimated_cost":1.5,"sentrial.session.id":"00000001000000000000000000000001-0000000000000001","sentrial.event.type":"session"},"scope":["",""],"resource":{"resource":"{\"service.name\":\"tests\"}"}}');
INSERT INTO "spans" VALUES(12,3,X'00000003000000000000000000000003',X'0000000000000002',X'0000000000000001','llm_call','span',1795183365000000000,1795183367000000000,'UNSET','{"kind":"INTERNAL","attributes":{"gen_ai.usage.input_tokens":123456,"sentrial.estimated_cost":0.5,"gen_ai.input.messages":{"items":7,"comma":","},"sentrial.session.id":"00000003000000000000000000000003-0000000000000001","sentrial.event.type":"llm_call"},"scope":["",""],"resource":{"resource":"{\"service.name\":\"tests\"}"}}');
INSERT INTO "spans" VALUES(13,NULL,X'00000009000000000000000000000009',X'0000000000000002',X'0000000000000001',NULL,'span',1795183390000000000,1795183390000000000,'UNSET','{"kind":"INTERNAL","attributes":{"sentrial.reasoning":"outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside outside "},"scope":["",""],"resource":{"resource":"{\"service.name\":\"tests\"}"}}');
CREATE TABLE texts (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        hash BLOB NOT NULL UNIQUE,
        body TEXT NOT NULL
    );
INSERT INTO "texts" VALUES(1,X'56F54FB1607BFE949072C63BE2E72DC256D02C03','{"result": "Orders more than three days late are refunded in full when the customer asks for it. Ask first whether they would rather wait. Refunds above $200 need a second pair of eyes: hand the conversation to the payments team, and tell the customer how long that takes. Never promise a delivery date that the carrier has not confirmed in writing."}');
INSERT INTO "texts" VALUES(2,X'10DB23CF0BBE8EBA8B3A5CE7F15CA8F895ED8A69','{"role": "user", "parts": [{"type": "text", "content": "Where is my order 1042? It should have arrived on Monday, and the tracking page has not changed since."}]}');
INSERT INTO "texts" VALUES(3,X'9479070E79783D05D5CBF18327DB9463EFBC769C','{"role": "assistant", "parts": [{"type": "tool_call", "id": "call_1", "name": "lookup_order", "arguments": {"order_id": 1042}}], "finish_reason": "tool_calls"}');
INSERT INTO "texts" VALUES(4,X'919E56A492D8B4A64F71DB57F68A29E9CB87E91A','{"role": "tool", "parts": [{"type": "text", "content": "4 days late"}]}');
INSERT INTO "texts" VALUES(5,X'A9362CCCD54016B4EE95C97456CA8F54AE292C8E','{"role": "user", "parts": [{"type": "text", "content": "Then I would like my money back, please."}]}');
INSERT INTO "texts" VALUES(6,X'BD97F80C1E6BFDFF9761548AB1348B01D1E7A044','{"role":"user","parts":[{"type":"text","content":"what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first what was said first "}]}');
INSERT INTO "texts" VALUES(7,X'7BB13DAB24BF4C05D84833A2E84C5BF752B659BB','{"role":"assistant","parts":[{"type":"text","content":"and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer and the answer "}]}');
CREATE INDEX sessions_by_start ON sessions (start_ns, row_id, agent, user, status);
CREATE INDEX sessions_by_agent ON sessions (agent, start_ns, row_id, user, status);
CREATE INDEX sessions_by_user ON sessions (user, start_ns, row_id, agent, status);
CREATE INDEX sessions_by_status ON sessions (status, start_ns, row_id, agent, user);
CREATE INDEX sessions_by_root_span ON sessions (root_span_id) WHERE root_span_id IS NOT NULL;
CREATE INDEX spans_by_session ON spans (session_row, start_ns);
CREATE INDEX fragments_by_text ON fragments (text_row, session_row);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('sessions',3);
INSERT INTO "sqlite_sequence" VALUES('spans',13);
INSERT INTO "sqlite_sequence" VALUES('texts',7);
INSERT INTO "sqlite_sequence" VALUES('fragments',7);
COMMIT;
PRAGMA user_version = 1;
