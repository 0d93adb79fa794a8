import Connections
import GatewayAPI
import Keys
import Notices
import Postgres
import Service
import Surfaces

/// The reason that a text is not a value of its setting.
enum SettingFault: Error {
    /// The text does not have the expected form.
    case form
    /// The fault is known more precisely: a sentence, without the text if that is secret.
    case precise(String)
}

/// The values that a setting accepts, and the conversion from text.
struct SettingForm<Value: Sendable>: Sendable {
    /// The accepted values in words.
    ///
    /// Ends the sentence "… is not …".
    let expected: String
    /// True if a settings file can give a list.
    ///
    /// The elements arrive as one text with commas between them.
    let isList: Bool
    /// A command or another way to a valid value.
    ///
    /// `nil` if the expected form says enough.
    let advice: String?
    /// Converts a text.
    let parse: @Sendable (String) throws(SettingFault) -> Value

    init(
        _ expected: String,
        isList: Bool = false,
        advice: String? = nil,
        parse: @escaping @Sendable (String) throws(SettingFault) -> Value
    ) {
        self.expected = expected
        self.isList = isList
        self.advice = advice
        self.parse = parse
    }
}

extension SettingForm where Value == Int {
    /// Accepts decimal digits.
    static func integer(_ range: ClosedRange<Int>) -> Self {
        SettingForm("a number from \(range.lowerBound) to \(range.upperBound)") { text throws(SettingFault) in
            try number(text, in: range)
        }
    }
}

extension SettingForm where Value == Int? {
    /// Accepts decimal digits.
    static func integer(_ range: ClosedRange<Int>) -> Self {
        let form = SettingForm<Int>.integer(range)
        return SettingForm(form.expected) { text throws(SettingFault) in try form.parse(text) }
    }
}

extension SettingForm where Value == Duration {
    /// Accepts whole seconds.
    static func seconds(_ range: ClosedRange<Int>) -> Self {
        let expected = "a number of seconds from \(range.lowerBound) to \(range.upperBound)"
        return SettingForm(expected) { text throws(SettingFault) in .seconds(try number(text, in: range)) }
    }
}

extension SettingForm where Value == String {
    /// Accepts the path of a folder.
    static var folder: Self { SettingForm("a folder") { $0 } }
}

extension SettingForm where Value == String? {
    /// Accepts the path of a file.
    static var file: Self { SettingForm("the path of a file") { $0 } }

    /// Accepts the path of a folder.
    static var folder: Self { SettingForm("a folder") { $0 } }

    /// Accepts any text.
    ///
    /// The reader of the setting checks it.
    static func text(_ expected: String) -> Self { SettingForm(expected) { $0 } }
}

extension SettingForm where Value == SecretText? {
    /// Accepts any text and keeps it from being printed.
    ///
    /// The reader of the setting checks it.
    static func secret(_ expected: String) -> Self { SettingForm(expected) { SecretText($0) } }

    /// Accepts a libpq connection string.
    static var connectionString: Self {
        SettingForm("a PostgreSQL URL, such as postgresql://user@host/database") { text throws(SettingFault) in
            let isURL = ["postgres://", "postgresql://"].contains { text.hasPrefix($0) }
            // libpq also reads a list of key=value pairs (libpq manual, section 34.1.1.1).
            guard isURL || (text.contains("=") && !text.contains("://")) else { throw .form }
            // The error of libpq quotes the text.
            do throws(PostgresError) { _ = try PostgresConfiguration(text) } catch { throw .form }
            return SecretText(text)
        }
    }
}

extension SettingForm where Value == String? {
    /// Accepts the issuer of an OpenID provider.
    static var issuer: Self {
        SettingForm("an https URL without a query, such as https://login.example.com; http only to this machine") {
            text throws(SettingFault) in
            guard IdentityProvider.isIssuer(text) else { throw .form }
            return text
        }
    }

    /// Accepts the URL of a document that the server fetches.
    static var documentURL: Self {
        SettingForm("an https URL, or an http URL of this machine") { text throws(SettingFault) in
            guard WebhookURL(text) != nil else { throw .form }
            return text
        }
    }

    /// Accepts a short text that people read.
    static var shortText: Self {
        SettingForm("a text of 1 to 60 characters without line ends") { text throws(SettingFault) in
            guard (1...60).contains(text.count), !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
                throw .form
            }
            return text
        }
    }

    /// Accepts the URL of a web server, without a path.
    static var webURL: Self {
        SettingForm("a URL without a path, such as https://keys.example.com") { text throws(SettingFault) in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"?#@\\".utf8.contains($0) }
            guard isPlain, parts.count == 3 || parts.count == 4 && parts[3].isEmpty,
                ["http:", "https:"].contains(parts[0].lowercased()), parts[1].isEmpty, !parts[2].isEmpty
            else { throw .form }
            return text
        }
    }
}

extension SettingForm where Value == ListenerPlace {
    /// Accepts a host and a port, or the path of a socket.
    static var place: Self {
        SettingForm("HOST:PORT or unix:PATH, such as 127.0.0.1:8080 or [::]:8080") { text throws(SettingFault) in
            guard let place = ListenerPlace(text) else { throw .form }
            return place
        }
    }
}

extension SettingForm where Value == [GatewayAddress] {
    /// Accepts a list of addresses for gateways.
    static var gatewayAddresses: Self {
        let expected = "a list of HOST:PORT or unix:PATH, such as 127.0.0.1:9000, unix:/run/mortise/gateway.sock;proxy"
        return SettingForm(expected, isList: true) { text throws(SettingFault) in
            var addresses: [GatewayAddress] = []
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let address = GatewayAddress(part.trimmed) else { throw .form }
                addresses.append(address)
            }
            return addresses
        }
    }
}

extension SettingForm where Value == ListenerPlace? {
    /// Accepts a host and a port, or the path of a socket.
    static var place: Self {
        SettingForm("HOST:PORT or unix:PATH, such as 127.0.0.1:9090") { text throws(SettingFault) in
            guard let place = ListenerPlace(text) else { throw .form }
            return place
        }
    }
}

extension Substring {
    /// The text without blanks around it.
    fileprivate var trimmed: String {
        var text = drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}

extension SettingForm where Value == ClientAddresses {
    /// Accepts a list of addresses and ranges.
    static var addresses: Self {
        let expected = "a list of addresses and ranges, such as 10.0.0.0/8, 2001:db8::7"
        return SettingForm(expected, isList: true) { text throws(SettingFault) in
            let clients: ClientAddresses
            do throws(TrustedProxyFault) {
                clients = try ClientAddresses(parsing: text)
            } catch {
                throw .precise(error.description)
            }
            guard clients != ClientAddresses() else { throw .precise("The list has no address.") }
            return clients
        }
    }
}

extension SettingForm where Value == [AddressRange] {
    /// Accepts a list of addresses and ranges that webhooks can be sent to.
    static var ranges: Self {
        let expected = "a list of addresses and ranges, such as 127.0.0.0/8, ::1"
        return SettingForm(expected, isList: true) { text throws(SettingFault) in
            var ranges: [AddressRange] = []
            for entry in text.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" }) {
                do throws(AddressFault) {
                    ranges.append(try AddressRange(String(entry)))
                } catch {
                    throw .precise("\"\(entry)\" is not an address or a range: \(error).")
                }
            }
            guard !ranges.isEmpty else { throw .precise("The list has no address.") }
            return ranges
        }
    }
}

extension SettingForm where Value == Token? {
    /// Accepts a token that Mortise itself could have issued.
    ///
    /// A mistyped one would lock its owner out.
    static func token(_ kind: KeyKind) -> Self {
        SettingForm(
            "a token of the kind \(kind.rawValue)",
            advice: "`mortise key generate --kind \(kind.rawValue)` makes one."
        ) { text throws(SettingFault) in
            let token: Token
            do throws(TokenFault) { token = try Token(text) } catch { throw .precise(error.description) }
            guard token.parsed.prefix == kind.defaultPrefix, token.parsed.workspaceRef.isRoot else { throw .form }
            return token
        }
    }
}

extension SettingForm {
    /// Accepts the raw values of an enumeration.
    static func choice() -> Self where Value: RawRepresentable<String> & CaseIterable {
        choice { $0 }
    }

    /// Accepts the raw values of an enumeration, for a setting whose default is not fixed.
    static func choice<Choice>() -> Self
    where Value == Choice?, Choice: RawRepresentable<String> & CaseIterable & Sendable {
        choice { $0 }
    }

    private static func choice<Choice>(_ convert: @escaping @Sendable (Choice) -> Value) -> Self
    where Choice: RawRepresentable<String> & CaseIterable & Sendable {
        SettingForm("one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))") { text throws(SettingFault) in
            guard let choice = Choice(rawValue: text) else { throw .form }
            return convert(choice)
        }
    }
}

/// Reads decimal digits as a number in a range.
private func number(_ text: String, in range: ClosedRange<Int>) throws(SettingFault) -> Int {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
        range.contains(number)
    else { throw .form }
    return number
}
