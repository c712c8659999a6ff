//! `prometheus`: what a server says of itself as Prometheus text.
//!
//! A metric's name is the group, its labels are the part: `githost_http_requests_total/method=GET,status=2xx`, or
//! `value` without labels. Counters come as rates, seconds as milliseconds, histograms and summaries as the mean of what
//! happened since the last look (`…_mean/…`) and how often it did (`…_count/…`); buckets are left out.

pub(crate) mod exposition;
mod meaning;
mod series;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use e3_http::{BaseUrl, HttpError, HttpSession, Request};
use tokio::time::{Instant, timeout};

use self::series::AllSeries;
use crate::{Endpoint, MetricSource, MetricsError, Readout, SourceKind, Targets};

/// This source.
pub(crate) const KIND: SourceKind = SourceKind { name: NAME, open };

fn open(targets: &Targets) -> Vec<Box<dyn MetricSource>> {
    let one = |endpoint: &Endpoint| -> Box<dyn MetricSource> {
        Box::new(Prometheus {
            subject: endpoint.subject.as_str().into(),
            url: endpoint.url.clone(),
            session: None,
            series: AllSeries::default(),
        })
    };
    targets.endpoints.iter().map(one).collect()
}

/// One server.
struct Prometheus {
    subject: Arc<str>,
    url: String,
    /// None at first, and after a look that failed.
    session: Option<HttpSession>,
    series: AllSeries,
}

#[async_trait]
impl MetricSource for Prometheus {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn read(&mut self) -> Readout {
        match timeout(WITHIN, self.get()).await {
            Ok(Ok(text)) => self.understand(&text),
            Ok(Err(problem)) => Readout::failed(problem),
            Err(_) => Readout::failed(MetricsError::Slow { what: self.url.clone(), within: WITHIN }),
        }
    }
}

impl Prometheus {
    async fn get(&mut self) -> Result<String, MetricsError> {
        let url = self.url.clone();
        let failed = |source: HttpError| MetricsError::Get { url: url.clone(), source };
        let mut session = match self.session.take() {
            Some(session) => session,
            None => HttpSession::new(
                BaseUrl::parse(self.url.split('?').next().unwrap_or_default()).map_err(failed)?,
            ),
        };
        let request = Request::get(self.url.clone()).header("accept", "text/plain;version=0.0.4");
        let response = session.send(request.max_body(MOST_BYTES)).await.map_err(failed)?;
        if response.status != 200 {
            return Err(MetricsError::Status { url, status: response.status });
        }
        let text = response.text().map_err(failed)?;
        self.session = Some(session);
        Ok(text)
    }

    fn understand(&mut self, text: &str) -> Readout {
        let at = Instant::now();
        let mut exposition = exposition::parse(text);
        let mut readout = Readout::default();
        let left_out = self.series.read((at, &self.subject), &exposition.samples, &mut readout);
        if !exposition.mistakes.is_empty() {
            let source = exposition.mistakes.swap_remove(0);
            readout.problems.push(MetricsError::Text { url: self.url.clone(), source });
        }
        if left_out {
            let most = series::MOST_SERIES;
            readout.problems.push(MetricsError::TooMany { url: self.url.clone(), most });
        }
        readout
    }
}

const NAME: &str = "prometheus";
/// How long a server may take; it is asked every second.
const WITHIN: Duration = Duration::from_secs(2);
const MOST_BYTES: usize = 4 << 20;
