import JSON
import Keys

/// The seal of a JSON object: an HMAC with a pepper of the installation, which is not in the backup.
///
/// Somebody who can write to the storage of backups cannot change a sealed object.
enum Seal {
    /// Returns the text of an object with its seal.
    static func text(_ object: JSONObject, _ pepper: Pepper) -> String {
        var members = object.members.map { ($0.name, $0.value) }
        members.append(("pepper", JSONValue.string(pepper.id.text)))
        members.append(("seal", JSONValue.string(seal(members, pepper))))
        return JSONValue.object(JSONObject(members)).text + "\n"
    }

    /// Returns true if an object has the seal of a pepper.
    static func isGenuine(_ object: JSONObject, _ pepper: Pepper) -> Bool {
        let members = object.members.filter { $0.name != "seal" }.map { ($0.name, $0.value) }
        return object["pepper"]?.string == pepper.id.text && object["seal"]?.string == seal(members, pepper)
    }

    private static func seal(_ members: [(String, JSONValue)], _ pepper: Pepper) -> String {
        Hex.encode(pepper.seal(of: Array(JSONValue.object(JSONObject(members)).text.utf8)).bytes)
    }
}
