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
    r"|삭제된 메시지입니다\.?)\Z",
    re.IGNORECASE,
)
# What LINE and KakaoTalk write alone where a picture was; elsewhere these are words.
_OF_LISTS = frozenset("사진 동영상 이모티콘 画像 写真 動画 スタンプ".split())
# A name of a file, and in brackets that it is attached.
_FILE = re.compile(r"\A[^\s()]{1,80}\.[a-z0-9]{2,5} \((?P<told>[^()]{4,40})\)\Z", re.IGNORECASE)
_ATTACHED = frozenset(
    line.strip()
    for line in """
    file attached
    attached file
    datei angehängt
    archivo adjunto
    fichier joint
    file allegato
    arquivo anexado
    ficheiro anexado
    bestand bijgevoegd
    plik dołączony
    plik w załączniku
    załączono plik
    dosya ekli
    dosya eklendi
    файл добавлен
    файл прикреплён
    файл прикреплен
    файл додано
    прикачен файл
    soubor přiložen
    súbor priložený
    fájl csatolva
    csatolt fájl
    fișier atașat
    fil bifogad
    bifogad fil
    fil vedhæftet
    vedhæftet fil
    fil vedlagt
    tiedosto liitetty
    συνημμένο αρχείο
    επισυναπτόμενο αρχείο
    fitxer adjunt
    الملف مرفق
    ملف مرفق
    קובץ מצורף
    फ़ाइल संलग्न है
    फ़ाइल अटैच की गई
    file terlampir
    fail dilampirkan
    đã đính kèm file
    tệp đính kèm
    ไฟล์ที่แนบ
    แนบไฟล์แล้ว
    文件附件
    附件
    檔案已附加
    ファイル添付
    添付ファイル
    파일 첨부됨
    첨부파일
    """.splitlines()
    if line.strip()
)
# In square brackets alone: [Sticker], [スタンプ], [图片].
_IN_SQUARE = frozenset(
    """sticker|animated sticker|photo|photos|image|picture|video|video note|voice|voice message
    |voice note|voice call|video call|audio|gif|file|document|location|live location|contact
    |contact card|poll|media|attachment|media omitted|image omitted|video omitted|audio omitted
    |sticker omitted|gif omitted|deleted message|missed call|missed voice call|missed video call
    |foto|fotos|bild|datei|dokument|sprachnachricht|standort|kontakt|imagen|vídeo|archivo|documento
    |ubicación|contacto|vidéo|fichier|message vocal|immagine|documento|messaggio vocale|imagem
    |arquivo|figurinha|afbeelding|bestand|zdjęcie|plik|naklejka|фото|видео|стикер|файл|документ
    |голосовое сообщение|图片|圖片|照片|相片|语音|語音|语音通话|视频|影片|視訊|视频通话|表情
    |动画表情|文件|檔案|位置|链接|連結|名片|红包|转账|小程序|聊天记录|贴图|貼圖|スタンプ|写真|画像|動画
    |ファイル|ボイスメッセージ|位置情報|連絡先|アルバム|ノート|不在着信|사진|동영상|이모티콘|파일|음성메시지|지도
    """.replace("\n", "")
    .replace("    |", "|")
    .strip()
    .split("|")
)
# In angles: <Media omitted>, <attached: 1.jpg>. Words for what was left out, by their beginnings.
_IN_ANGLES = re.compile(
    r"\A<\s?(?:[^<>\n]{1,40}[:：]\s?[^<>\n]{1,80}\.[a-z0-9]{2,5}"
    r"|[^<>\n]{0,40}(?:medi|médi|mídi|multim|omit|omess|omis|oculta|attach|anhang|ausge"
    r"|weggel|pomini|fichier|archivo|медиа|медіа|мултим|файл|μέσ|πολυμ|وسائط|رسانه|میڈیا|מדיה"
    r"|मीडिया|মিডিয়া|மீடியா|మీడియా|สื่อ|tệp|メディア|媒体|媒體|미디어|파일)[^<>\n]{0,40})>\Z",
    re.IGNORECASE,
)


def is_taken_back(bare: str, *, is_listed: bool = False) -> bool:
    """Say whether these words, without marks around them, stand where something else stood.

    `is_listed` are lines as LINE and KakaoTalk write them.
    """
    plain = bare.casefold().rstrip(".。।! ")
    if plain in _DELETED or (is_listed and plain in _OF_LISTS):
        return True
    if bare[:1] == "[" and bare[-1:] == "]":
        return plain[1:-1].strip() in _IN_SQUARE
    file = _FILE.match(bare)
    if file:
        return file["told"].casefold().strip() in _ATTACHED
    return bool(_LEFT_OUT.match(bare) or _IN_ANGLES.match(bare))
