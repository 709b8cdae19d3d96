//! An SMS centre over SMPP 3.4: one transceiver session, one text at a time.
//! What the session is made of (numbering, keep-alive, answers in any order)
//! is the library's; here is what the messages say.

use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use futures::{Stream, StreamExt as _};
use rusmpp::extra::concatenation::SubmitSmMultipartExt as _;
use rusmpp::pdus::{BindTransceiver, DeliverSm, DeliverSmResp, SubmitSm};
use rusmpp::tlvs::TlvValue;
use rusmpp::types::COctetString;
use rusmpp::values::{
    DataCoding, EsmClass, InterfaceVersion, MessageType, Npi, RegisteredDelivery, Ton,
};
use rusmpp::{CommandStatus, Pdu};
use rusmppc::error::Error;
use rusmppc::{Client, ConnectionBuilder, Event};
use suda_domain::texts::{Alphabet, Mobile, Segments, segments};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::receipt::{self, Outcome};
use super::settings::SmppSettings;
use super::{Adapter, Heard, Outgoing, SendError, Sent};

/// The code for a centre that takes no more for now.
pub const THROTTLED: &str = "smpp_throttled";

const CONNECT: Duration = Duration::from_secs(10);
/// A slow centre is waited for: a text that was not confirmed may be sent twice.
const ANSWER: Duration = Duration::from_secs(30);
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const MOST_BYTES: usize = 64 * 1024;
/// Units of one GSM 7-bit message alone, and of a part with its header.
const GSM7_ALONE: usize = 160;
const GSM7_PART: usize = 159;
/// The bit of `esm_class` that says a header stands before the text.
const HEADER: u8 = 0x40;

/// A bound session.
pub struct SmppAdapter {
    client: Client,
    events: Box<dyn Stream<Item = Event> + Send + Unpin>,
    source: COctetString<1, 21>,
}

impl SmppAdapter {
    /// Connects and binds.
    ///
    /// # Errors
    /// [`SendError::Way`] with a code that says what failed.
    pub async fn open(settings: &SmppSettings) -> Result<Self, SendError> {
        let way = |code: &str| SendError::Way(code.to_owned());
        let password = tokio::fs::read_to_string(&settings.password_file).await;
        let password = password.map_err(|error| {
            tracing::warn!(%error, "the password of the SMS centre cannot be read");
            way("password_file_unreadable")
        })?;
        let text = |text: &str| text.trim().to_owned();
        let bind = BindTransceiver::builder()
            .system_id(
                COctetString::from_string(text(&settings.system_id))
                    .map_err(|_| way("system_id_unusable"))?,
            )
            .password(
                COctetString::from_string(text(&password)).map_err(|_| way("password_unusable"))?,
            )
            .interface_version(InterfaceVersion::Smpp3_4)
            .build();
        let source = COctetString::from_string(text(&settings.source))
            .map_err(|_| way("source_unusable"))?;
        let place = (settings.host.as_str(), settings.port);
        let stream = timeout(CONNECT, TcpStream::connect(place)).await;
        let stream = match stream {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) => return Err(way("smpp_unreachable")),
            Err(_) => return Err(way("smpp_unreachable_timeout")),
        };
        stream
            .set_nodelay(true)
            .map_err(|_| way("smpp_unreachable"))?;
        let (client, events) = ConnectionBuilder::new()
            .max_command_length(MOST_BYTES)
            .enquire_link_interval(KEEP_ALIVE)
            .response_timeout(ANSWER)
            .disable_interface_version_check()
            .connected(stream);
        client.bind_transceiver(bind).await.map_err(|error| {
            let (code, _) = code(&error);
            SendError::Way(format!("bind_{code}"))
        })?;
        Ok(Self {
            client,
            events: Box::new(events),
            source,
        })
    }

    /// The text as messages, the receipt asked for with the last.
    fn parts(&self, outgoing: &Outgoing<'_>) -> Option<Vec<SubmitSm>> {
        let message = SubmitSm::builder()
            .source_addr_ton(self.source_ton())
            .source_addr_npi(Npi::Unknown)
            .source_addr(self.source.clone())
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(address(outgoing.to)?)
            // The library's default sets a bit.
            .esm_class(EsmClass::from(0))
            .build();
        let several = message.multipart(outgoing.text);
        let several = several.reference_u8(rand::random());
        let Segments { alphabet, count } = segments(outgoing.text);
        let parts = match alphabet {
            Alphabet::Gsm7 => {
                let size = if count == 1 { GSM7_ALONE } else { GSM7_PART };
                several
                    .gsm7bit_unpacked()
                    .max_short_message_size(size)
                    .build()
                    .ok()
            }
            Alphabet::Ucs2 => several.ucs2().build().ok(),
        };
        let mut parts = parts?;
        parts.last_mut()?.registered_delivery = RegisteredDelivery::from(1);
        Some(parts)
    }

    fn source_ton(&self) -> Ton {
        match self.source.as_str().bytes().all(|b| b.is_ascii_digit()) {
            true => Ton::Unknown,
            false => Ton::Alphanumeric,
        }
    }
}

fn address(mobile: &Mobile) -> Option<COctetString<1, 21>> {
    COctetString::from_str(mobile.digits()).ok()
}

/// Where parts were taken, sending the text again repeats them: that is not
/// done for long, whatever kept the rest.
fn partly(error: SendError, are_taken: bool) -> SendError {
    match error {
        SendError::Way(code) | SendError::Later(code) | SendError::Refused(code) if are_taken => {
            SendError::Unconfirmed(code)
        }
        error => error,
    }
}

#[async_trait]
impl Adapter for SmppAdapter {
    async fn send(&mut self, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
        if self.client.is_closed() {
            return Err(SendError::Way("smpp_closed".into()));
        }
        let parts = self
            .parts(outgoing)
            .ok_or_else(|| SendError::Refused("not_encodable".into()))?;
        let mut smsc_id = None;
        for part in parts {
            let taken = self.client.submit_sm(part).await;
            let taken = taken.map_err(|error| partly(refused(&error), smsc_id.is_some()))?;
            smsc_id = Some(receipt::plain(taken.message_id().as_str()));
        }
        Ok(Sent {
            smsc_id: smsc_id.filter(|id| !id.is_empty()),
            delivered: false,
        })
    }

    async fn heard(&mut self) -> Heard {
        loop {
            match self.events.next().await {
                None | Some(Event::Error(_)) => return Heard::Closed,
                Some(Event::Incoming(command)) => {
                    let token = command.sequence_number();
                    match command.pdu() {
                        Some(Pdu::DeliverSm(message)) => match read(token, message) {
                            Some(heard) => return heard,
                            None => self.answer(token, true).await,
                        },
                        Some(Pdu::Unbind) => {
                            log(self.client.unbind_resp(token).await);
                            return Heard::Closed;
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    async fn answer(&mut self, token: u32, is_done: bool) {
        let status = match is_done {
            true => CommandStatus::EsmeRok,
            false => CommandStatus::EsmeRxTAppn,
        };
        let answer = self.client.status(status);
        log(answer
            .deliver_sm_resp(token, DeliverSmResp::default())
            .await);
    }
}

/// The session has ended, and what was not answered is told again in the next.
fn log(answered: Result<(), Error>) {
    if answered.is_err() {
        tracing::info!("the SMS centre could not be answered");
    }
}

/// What the answer to a message says, as a code, and the status where there is
/// one. Never the answer itself: it may hold what was sent.
fn code(error: &Error) -> (String, Option<CommandStatus>) {
    match error {
        Error::UnexpectedResponse { response } => {
            let status = response.as_ref().status();
            let code = match status {
                CommandStatus::EsmeRthrottled | CommandStatus::EsmeRmsgqful => THROTTLED.to_owned(),
                other => format!("smpp_{:08x}", u32::from(other)),
            };
            (code, Some(status))
        }
        Error::ResponseTimeout { .. } => ("smpp_timeout".into(), None),
        Error::Encode(_) => ("not_encodable".into(), None),
        _ => ("smpp_closed".into(), None),
    }
}

fn refused(error: &Error) -> SendError {
    use CommandStatus::*;
    let (code, status) = code(error);
    match status {
        Some(EsmeRthrottled | EsmeRmsgqful) => SendError::Way(code),
        // Wrong in the message itself; the same again would be refused again.
        Some(EsmeRinvmsglen | EsmeRinvdstadr | EsmeRinvdcs) => SendError::Refused(code),
        Some(_) => SendError::Later(code),
        None if matches!(error, Error::Encode(_)) => SendError::Refused(code),
        None => SendError::Unconfirmed(code),
    }
}

/// A receipt or a customer's text; nothing for what needs no more than an
/// answer: a receipt of a message still under way, a further part of a long
/// text.
fn read(token: u32, message: &DeliverSm) -> Option<Heard> {
    let payload = message.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::MessagePayload(payload)) => Some(payload.value.as_ref()),
        _ => None,
    });
    let bytes: &[u8] = match message.short_message().as_ref() {
        [] => payload.unwrap_or_default(),
        short => short,
    };
    let has_header = u8::from(message.esm_class) & HEADER != 0;
    let (header, bytes) = if has_header {
        let length = usize::from(*bytes.first()?) + 1;
        bytes.split_at_checked(length)?
    } else {
        bytes.split_at_checked(0)?
    };
    let text = decode(message.data_coding, bytes);
    if message.esm_class.message_type == MessageType::ShortMessageContainsMCDeliveryReceipt {
        return read_receipt(token, message, &text);
    }
    (!is_further_part(header)).then(|| Heard::Text {
        token,
        from: message.source_addr.as_str().to_owned(),
        text,
    })
}

fn read_receipt(token: u32, message: &DeliverSm, text: &str) -> Option<Heard> {
    let (id, outcome) = receipt::read(text)?;
    let mut smsc_ids = receipt::names(&id);
    let told = message.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::ReceiptedMessageId(id)) => Some(receipt::plain(id.as_str())),
        _ => None,
    });
    // Said in the notation of the answer, where it is said.
    smsc_ids.splice(0..0, told);
    let error = match outcome {
        Outcome::Delivered => None,
        Outcome::Failed(code) => Some(code),
        Outcome::Pending => return None,
    };
    Some(Heard::Receipt {
        token,
        smsc_ids,
        error,
    })
}

/// Whether a header (its length first) says that this is not the first part.
fn is_further_part(header: &[u8]) -> bool {
    match header {
        [_, 0x00, 0x03, _, _, part, ..] => *part > 1,
        [_, 0x08, 0x04, _, _, _, part, ..] => *part > 1,
        _ => false,
    }
}

fn decode(coding: DataCoding, bytes: &[u8]) -> String {
    if coding == DataCoding::Ucs2 {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|pair| {
                pair.iter()
                    .fold(0, |unit, byte| unit << 8 | u16::from(*byte))
            })
            .collect();
        return String::from_utf16_lossy(&units);
    }
    // Numbers and Latin letters stand at the same places in all of the others.
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
