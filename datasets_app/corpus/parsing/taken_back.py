"""What chat apps write where a message was taken back, or a picture or a voice was left out."""

from __future__ import annotations

import re

# As the apps say it in each language; told without case, marks of direction and the last stop.
_DELETED = frozenset(
    line.strip()
    for line in """
    this message was deleted
    you deleted this message
    this message was deleted by an admin
    diese nachricht wurde gelöscht
    du hast diese nachricht gelöscht
    ce message a été supprimé
    vous avez supprimé ce message
    se eliminó este mensaje
    este mensaje fue eliminado
    eliminaste este mensaje
    este mensaje se ha eliminado
    mensagem apagada
    essa mensagem foi apagada
    esta mensagem foi apagada
    esta mensagem foi eliminada
    você apagou esta mensagem
    você apagou essa mensagem
    eliminou esta mensagem
    questo messaggio è stato eliminato
    hai eliminato questo messaggio
    dit bericht is verwijderd
    je hebt dit bericht verwijderd
    u hebt dit bericht verwijderd
    ta wiadomość została usunięta
    wiadomość została usunięta
    usunięto tę wiadomość
    usunięto wiadomość
    bu mesaj silindi
    bu mesajı sildiniz
    bu mesajı sildin
    tato zpráva byla odstraněna
    tato zpráva byla smazána
    smazali jste tuto zprávu
    odstranili jste tuto zprávu
    táto správa bola odstránená
    táto správa bola vymazaná
    odstránili ste túto správu
    ezt az üzenetet törölték
    ez az üzenet törölve lett
    törölted ezt az üzenetet
    acest mesaj a fost șters
    ați șters acest mesaj
    ai șters acest mesaj
    det här meddelandet togs bort
    det här meddelandet raderades
    du tog bort det här meddelandet
    denne besked blev slettet
    denne besked er slettet
    du slettede denne besked
    denne meldingen ble slettet
    du slettet denne meldingen
    tämä viesti poistettiin
    tämä viesti on poistettu
    poistit tämän viestin
    see sõnum kustutati
    šī ziņa tika izdzēsta
    ši žinutė buvo ištrinta
    ova poruka je izbrisana
    ova poruka je obrisana
    izbrisali ste ovu poruku
    to sporočilo je bilo izbrisano
    ova je poruka izbrisana
    данное сообщение удалено
    это сообщение удалено
    это сообщение было удалено
    сообщение удалено
    вы удалили это сообщение
    вы удалили данное сообщение
    це повідомлення видалено
    це повідомлення було видалено
    ви видалили це повідомлення
    това съобщение беше изтрито
    това съобщение бе изтрито
    изтрихте това съобщение
    αυτό το μήνυμα διαγράφηκε
    αυτό το μήνυμα διαγράφτηκε
    διαγράψατε αυτό το μήνυμα
    ky mesazh u fshi
    aquest missatge s'ha eliminat
    has eliminat aquest missatge
    mezu hau ezabatu egin da
    hierdie boodskap is uitgevee
    ujumbe huu ulifutwa
    تم حذف هذه الرسالة
    حُذفت هذه الرسالة
    حذفت هذه الرسالة
    لقد حذفت هذه الرسالة
    این پیام حذف شد
    این پیام حذف شده است
    این پیام پاک شد
    یہ پیغام حذف کر دیا گیا
    הודעה זו נמחקה
    ההודעה הזו נמחקה
    מחקת הודעה זו
    यह मैसेज हटा दिया गया
    यह मैसेज डिलीट कर दिया गया
    यह संदेश हटा दिया गया
    यह संदेश हटा दिया गया था
    आपने यह मैसेज हटा दिया
    आपने यह संदेश हटा दिया
    এই মেসেজটি মুছে ফেলা হয়েছে
    இந்த செய்தி நீக்கப்பட்டது
    ఈ సందేశం తొలగించబడింది
    pesan ini telah dihapus
    pesan ini dihapus
    anda menghapus pesan ini
    mesej ini telah dipadam
    mesej ini telah dipadamkan
    anda telah memadam mesej ini
    tin nhắn này đã bị xóa
    tin nhắn đã bị xóa
    tin nhắn đã được thu hồi
    bạn đã xóa tin nhắn này
    nabura ang mensaheng ito
    ข้อความนี้ถูกลบ
    ข้อความนี้ถูกลบแล้ว
    ข้อความนี้ถูกลบไปแล้ว
    คุณลบข้อความนี้
    คุณลบข้อความนี้แล้ว
    此消息已删除
    此消息已被删除
    该消息已删除
    消息已删除
    消息已撤回
    你删除了这条消息
    您已删除此消息
    你撤回了一条消息
    对方撤回了一条消息
    此訊息已刪除
    訊息已刪除
    已刪除此訊息
    你已刪除此訊息
    您已刪除此訊息
    已收回訊息
    已收回此訊息
    このメッセージは削除されました
    このメッセージを削除しました
    メッセージは削除されました
    メッセージの送信を取り消しました
    送信を取り消しました
    이 메시지는 삭제되었습니다
    이 메시지가 삭제되었습니다
    이 메시지를 삭제했습니다
    이 메시지를 삭제하였습니다
    메시지가 삭제되었습니다
    삭제된 메시지입니다
    null
    missed voice call
    missed video call
    """.splitlines()
    if line.strip()
)
_LEFT_OUT = re.compile(
    r"\A(?:(?:image|photo|video|video note|audio|voice message|sticker|gif|document|contact card)"
    r" omitted|(?:bild|foto|video|audio|sticker|gif|dokument|kontaktkarte) weggelassen"
    r"|(?:imagen|foto) omitida|(?:vídeo|video|audio|sticker|gif|documento) omitid[oa]"
    r"|(?:image|vidéo|gif) absente?|(?:audio|sticker|document) (?:omis|absent)"
    r"|(?:immagine|foto) omessa|(?:video|audio|sticker|gif|documento) omess[oa]"
    r"|(?:imagem|foto|figurinha) (?:ocultada|omitida)|(?:vídeo|áudio|gif) (?:ocultado|omitido)"
    r"|(?:afbeelding|video|audio|sticker|gif|document) weggelaten"
    r"|pominięto (?:obraz|zdjęcie|film|wideo|audio|naklejkę|gif|dokument)"
    r"|(?:görüntü|video|ses|çıkartma|gif|belge) dahil edilmedi"
    r"|(?:изображение|фото|видео|аудиофайл|стикер|gif|документ) (?:отсутствует|пропущено|пропущен)"
    r"|사진|동영상|이모티콘|삭제된 메시지입니다\.?|画像|写真|スタンプ"
    # A name of a file, and in brackets that it is attached.
    r"|[^\s()]{1,80}\.[a-z0-9]{2,5} \([^()]{4,40}\))\Z",
    re.IGNORECASE,
)
# What stands in brackets alone: <Media omitted>, [Sticker], [スタンプ], [图片].
_IN_BRACKETS = re.compile(r"\A(?:<[^<>\n]{3,60}>|\[[^\W\d_][^\[\]\n]{0,29}\])\Z")


def is_taken_back(bare: str) -> bool:
    """Say whether these words, without marks around them, stand where something else stood."""
    plain = bare.casefold().rstrip(".。।! ")
    return plain in _DELETED or bool(_IN_BRACKETS.match(bare) or _LEFT_OUT.match(bare))
