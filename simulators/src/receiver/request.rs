//! What a request asks for, as it passes its injection point.

use gauntlet_protocol::fleet::Dispatch;
use gauntlet_protocol::jsonrpc::Request;
use serde_json::{Map, Value, json};

use super::state::Receiver;
use gauntlet_world::injection::Point;

impl Receiver {
    /// The request as this receiver takes it.
    pub(super) async fn as_taken(&self, mut request: Request) -> Request {
        let params = &request.params;
        let beside = params.get("contextId").is_some();
        let context = match (beside, params.pointer("/message/contextId")) {
            (true, _) => "beside",
            (false, Some(_)) => "message",
            (false, None) => "none",
        };
        let is_sound = Dispatch::from_params(&without_context(params)).is_ok();
        let event = json!({
            "method": request.method, "id": request.id, "context": context, "sound": is_sound,
            "texts": Dispatch::texts(params), "text": first_text(params),
        });
        let passed = self.pass(Point::ReceiverRequest, event.clone()).await;
        let Some(taken) = passed.first().filter(|taken| *taken != event) else { return request };
        let member = |name: &str| taken.get(name).cloned().unwrap_or_default();
        request.id = member("id");
        if let Some(method) = taken.get("method").filter(|method| **method != event["method"]) {
            request.method = method.clone();
        }
        if beside && member("context") != "beside" {
            request.params = without_context(&request.params);
        }
        if !is_sound && member("sound") == true {
            request.params = Value::Object(Map::new());
        }
        if member("text") != event["text"]
            && let Some(text) = first_text_mut(&mut request.params)
        {
            *text = member("text");
        }
        request
    }
}

fn without_context(params: &Value) -> Value {
    let mut params = params.clone();
    if let Value::Object(members) = &mut params {
        members.remove("contextId");
    }
    params
}

fn first_text(params: &Value) -> Option<&str> {
    let parts = params.pointer("/message/parts")?.as_array()?;
    parts.iter().find_map(|part| part.get("text")?.as_str())
}

fn first_text_mut(params: &mut Value) -> Option<&mut Value> {
    let parts = params.pointer_mut("/message/parts")?.as_array_mut()?;
    parts.iter_mut().find_map(|part| part.get_mut("text").filter(|text| text.is_string()))
}
