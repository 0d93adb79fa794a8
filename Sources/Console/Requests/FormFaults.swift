import Endpoints
import Service
import Surfaces
import Tenancy

/// The faults of a form, each at its field.
struct FormFaults {
    private(set) var fields: [(field: String, detail: String, anchor: String)] = []
    /// The faults of no single field.
    private(set) var others: [String] = []

    var isEmpty: Bool { fields.isEmpty && others.isEmpty }

    /// Adds a fault of a field.
    ///
    /// - Parameters:
    ///   - field: The field's name in the form.
    ///   - detail: The fault, as a sentence.
    ///   - anchor: The id of the field's element, if it is not the name.
    mutating func add(_ field: String, _ detail: String, anchor: String? = nil) {
        fields.append((field, detail, anchor ?? field))
    }

    /// Adds a fault of no single field.
    mutating func add(_ detail: String) { others.append(detail) }

    /// Adds faults that a use case found, except those of fields that have a fault already.
    ///
    /// - Parameters:
    ///   - faults: The faults.
    ///   - name: Returns the form's name for a member of the API.
    mutating func add(_ faults: [InvalidField], name: (String) -> String) {
        let known = Set(fields.map(\.field))
        for fault in faults {
            let field = name(fault.pointer.split(separator: "/").first.map(String.init) ?? "")
            if !known.contains(field) { add(field, fault.detail) }
        }
    }

    /// Adds the faults of the settings of a workspace or an organization.
    ///
    /// A setting that is `nil` has none.
    mutating func check(name: String?, slug: String?, tokenPrefix: String? = nil) {
        do throws(TenancyError) {
            if let name { try ControlWriter.check(name: name) }
        } catch {
            add("name", Self.sentence(error))
        }
        do throws(TenancyError) {
            if let slug { _ = try Slug(validating: slug) }
        } catch {
            add("slug", Self.sentence(error))
        }
        do throws(TenancyError) {
            try ControlWriter.check(tokenPrefix: tokenPrefix)
        } catch {
            add("token_prefix", Self.sentence(error))
        }
    }

    /// Adds the faults of an organization's notices about keys.
    ///
    /// A setting that is `nil` has none.
    mutating func check(expiryNoticeDays: [Int64]?, unusedAfterDays: Int64?) {
        do throws(TenancyError) {
            try ControlWriter.check(expiryNoticeDays: expiryNoticeDays)
        } catch {
            add("expiry_notice_days", Self.sentence(error))
        }
        do throws(TenancyError) {
            try ControlWriter.check(unusedAfterDays: unusedAfterDays)
        } catch {
            add("unused_after_days", Self.sentence(error))
        }
    }

    /// Returns the sentence of an error about the settings of a tenant.
    private static func sentence(_ error: TenancyError) -> String {
        "\(error.message.prefix(1).uppercased())\(error.message.dropFirst())."
    }

    /// Creates no faults.
    init() {}

    /// Creates the faults that a use case refused, or returns `nil` for an error that no form can correct.
    ///
    /// The page with the faults has a new ticket, so the form does its work when it is sent again.
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - purpose: The effect of a form with a ticket that is sent once more, after "Send it again to".
    ///   - name: Returns the form's name for a member of the API.
    init?(_ error: any Error, again purpose: String = "create another", name: (String) -> String = { $0 }) {
        switch error {
        case Refusal.idempotencyKeyReused:
            // The entries can be the same, and the session or the slug in the address another one.
            add("This form was sent before. Send it again to \(purpose).")
        case Refusal.idempotencyKeyInUse:
            add(
                "This form was sent twice, and the first request is still running. See what it has done before you send it again to \(purpose)."
            )
        case let refusal as Refusal where refusal.isOfDeletedResource:
            add("What this form made before is gone. Send it again to \(purpose).")
        case let refusal as Refusal where refusal.scopeSentence != nil:
            add(name("scopes"), refusal.scopeSentence ?? "")
        case Refusal.invalid(let faults):
            add(faults, name: name)
        case Refusal.nameTaken: add(name("name"), "A key with this name exists already. Choose another name.")
        case let error as TenancyError where error.field != nil:
            add(name(error.field ?? ""), Self.sentence(error))
        default:
            guard let problem = error as? Problem ?? DomainProblems.problem(for: error) else { return nil }
            switch problem.kind {
            case .conflict, .forbidden, .invalidRequest, .unprocessable, .rateLimited: others.append(problem.detail)
            default: return nil
            }
        }
    }

    /// The values of the template `faults`, and the fault of each field.
    var values: [String: Any] {
        var values: [String: Any] = [:]
        for (field, detail, _) in fields where values["fault-\(field)"] == nil { values["fault-\(field)"] = detail }
        let list = fields.map { ["field": $0.anchor, "text": $0.detail] } + others.map { ["text": $0] }
        if !list.isEmpty { values["faults"] = ["list": list, "isOne": list.count == 1] as [String: Any] }
        return values
    }
}
