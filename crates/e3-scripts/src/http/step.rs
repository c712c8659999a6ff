//! One step: a request, which answers are right, and what is read from them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use e3_http::Request;
use e3_model::ArgumentFault;
use http::{HeaderValue, Method, header::CONTENT_TYPE};
use serde_json::{Map, Value};

use super::body::Body;
use super::expected::Expected;
use super::headers::{self, Header};
use super::template::Template;
use super::variables::Variables;

/// One step of an iteration.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The op's name.
    pub(crate) name: String,
    /// Which answers are right.
    pub(crate) expected: Expected,
    /// Variables with the JSON pointers (RFC 6901) of their values in the answer's body.
    pub(crate) extract: Vec<(String, String)>,
    method: Method,
    path: Template,
    headers: Vec<Header>,
    body: Option<Body>,
    /// The request, if no variable is in it: the same for all clients and iterations.
    fixed: Option<Request>,
}

impl Step {
    /// Reads what a request is from its keys, those of others left out of account; what is wrong goes to the faults, each
    /// under its pointer below `at`.
    pub(crate) fn parse(
        name: &str,
        keys: &Map<String, Value>,
        at: &str,
        faults: &mut Vec<ArgumentFault>,
    ) -> Self {
        let pointer = |key: &str| format!("{at}/{key}");
        let given = |key: &str| keys.get(key).filter(|value| !value.is_null());
        let mut headers = given("headers")
            .map(|value| headers::parse(value, &pointer("headers"), faults))
            .unwrap_or_default();
        let body = given("body").map(|value| Body::parse(value, &pointer("body"), faults));
        if matches!(body, Some((_, true))) && !headers.iter().any(|(name, _)| name == CONTENT_TYPE) {
            headers.extend(Template::parse("application/json").map(|json| (CONTENT_TYPE, json)));
        }
        let expected = given("expect").map_or(Ok(Expected::default()), Expected::parse);
        let expected = expected.map_err(|message| ArgumentFault::new("", message));
        let mut step = Self {
            name: name.to_owned(),
            method: sound(given("method").map_or(Ok(Method::GET), method), pointer("method"), faults),
            path: sound(given("path").map_or(Ok(Template::default()), path), pointer("path"), faults),
            headers,
            body: body.map(|(body, _)| body),
            expected: sound(expected, pointer("expect"), faults),
            extract: Vec::new(),
            fixed: None,
        };
        if step.names("").is_empty() {
            step.fixed = step.filled(&Variables::of(&BTreeMap::new(), 0, 0, 0)).ok();
        }
        step
    }

    /// Returns whether its request is always the same.
    pub(crate) fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// Returns every variable that the step needs, with the pointer of the text that has it.
    pub(crate) fn names(&self, at: &str) -> Vec<(String, String)> {
        let of_path = self.path.names().map(|name| (format!("{at}/path"), name.to_owned()));
        let of_headers = self
            .headers
            .iter()
            .flat_map(|(_, value)| value.names())
            .map(|name| (format!("{at}/headers"), name.to_owned()));
        let of_body = self.body.iter().flat_map(|body| body.names(&format!("{at}/body")));
        of_path.chain(of_headers).chain(of_body).collect()
    }

    /// Returns what people call the request: method and path as they were written, without the values of variables.
    pub(crate) fn title(&self) -> String {
        match self.path.text() {
            "" => format!("{} of the URL itself", self.method),
            path => format!("{} {path}", self.method),
        }
    }

    /// Returns the request.
    ///
    /// # Errors
    /// A sentence that says which header cannot be written with these values.
    pub(crate) fn request(&self, variables: &Variables<'_>) -> Result<Cow<'_, Request>, String> {
        match &self.fixed {
            Some(fixed) => Ok(Cow::Borrowed(fixed)),
            None => self.filled(variables).map(Cow::Owned),
        }
    }

    fn filled(&self, variables: &Variables<'_>) -> Result<Request, String> {
        let mut request = Request::new(self.method.clone(), self.path.fill_path(variables));
        for (name, value) in &self.headers {
            let value = HeaderValue::try_from(value.fill(variables)).map_err(|_| {
                format!("the value of the header {name} has a character that HTTP does not allow")
            })?;
            request.headers.push((name.clone(), value));
        }
        Ok(match &self.body {
            Some(body) => request.body(body.fill(variables)),
            None => request,
        })
    }
}

/// Returns the value, or the default after the fault was noted.
fn sound<T: Default>(
    result: Result<T, ArgumentFault>,
    pointer: String,
    faults: &mut Vec<ArgumentFault>,
) -> T {
    result.unwrap_or_else(|fault| {
        faults.push(ArgumentFault { pointer, ..fault });
        T::default()
    })
}

fn method(value: &Value) -> Result<Method, ArgumentFault> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match METHODS.iter().find(|known| **known == text) {
        Some(known) => Ok(Method::from_bytes(known.as_bytes()).unwrap_or_default()),
        None => Err(ArgumentFault::new("", format!("there is no method {text:?}")).among(&text, METHODS)),
    }
}

fn path(value: &Value) -> Result<Template, ArgumentFault> {
    let fault = |message: String| ArgumentFault::new("", message);
    let Some(text) = value.as_str() else {
        return Err(fault(format!("{value} is no path: write it as a text")));
    };
    let template = Template::parse(text).map_err(fault)?;
    let begins_well = ["/", "?", "{{", "http://"].iter().any(|begin| text.starts_with(begin));
    if !text.is_empty() && !begins_well {
        return Err(fault(format!("the path {text:?} does not begin with a slash"))
            .hint(format!("did you mean \"/{text}\"? It is relative to the system's URL")));
    }
    let is_written = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}#".contains(c);
    let odd = template.literals().flat_map(str::chars).find(|c| !is_written(*c));
    match odd {
        Some(odd) => {
            Err(fault(format!("the path {text:?} has the character {odd:?}, which no request may have"))
                .hint("percent-encode it, such as %20 for a space"))
        }
        None => Ok(template),
    }
}

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
